import { UsageError } from '../../lib/config/usage-error.ts';
import { plainCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { flag, type Option, wholeNumber } from '../options.ts';

const PARTITIONS = 3;

export default plainCommand({
  name: 'dev',
  usage: 'runs a job here, and anew each time its module is saved; lines that you type are its input, what it commits is shown',
  more: `The job is MODULE, or what ONCEFLOW_JOB names, or ./src/job.ts. Kafka is at ONCEFLOW_BROKERS, or an embedded one (with Java): then topics that
are missing are made. Epochs are in a file of SQLite, blobs in a folder. Every ONCEFLOW_… variable sets the job. Output goes to standard output, all
else to standard error.`,
  arguments: { takes: 'MODULE', most: 1 },
  options: {
    'create-topics': flag('makes topics that are missing on the brokers of ONCEFLOW_BROKERS'),
    partitions: wholeNumber({ takes: 'N', default: PARTITIONS, help: 'of topics that are made' }),
    input: given('SOURCE', 'which source gets the lines, by uid or topic (default the only one; of several a line names its own)'),
    dir: given('FOLDER', 'what is kept from one start to the next (default .onceflow/dev)'),
    port: portNumber('of the embedded Kafka (default one that is free)'),
    fresh: flag('forgets what was kept'),
    once: flag('ends when all that was piped in is committed'),
    verbose: flag('says what each epoch does'),
  },
  examples: [
    { call: 'dev', does: 'runs ./src/job.ts on an embedded Kafka' },
    { call: 'dev --once', does: 'with "< in.txt > out.txt": puts a file through the job, and ends' },
    { call: 'dev jobs/clicks.ts --create-topics --partitions 6', does: 'on your brokers: ONCEFLOW_BROKERS=host:9092' },
  ],
  async run({ env, say }, { 'create-topics': createTopics, dir: folder, ...values }, [module]) {
    const { dev } = await import('../../dev/dev.ts');
    const show = (line: string) => console.log(line);
    const isWell = await dev({ ...values, env, module, createTopics, folder, say, show, stdin: process.stdin });
    return { code: isWell ? EXIT.ok : EXIT.failed, json: {}, text: '' };
  },
});

function given(takes: string, help: string): Option<string | undefined> {
  return {
    takes,
    help,
    read(name, text) {
      if (text === '') throw new UsageError(`--${name} is empty: name a ${takes.toLowerCase()}`);
      return text;
    },
  };
}

function portNumber(help: string): Option<number | undefined> {
  return {
    takes: 'PORT',
    help,
    read(name, text) {
      const port = Number(text);
      if (text === undefined || (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535)) return text === undefined ? undefined : port;
      throw new UsageError(`--${name} is ${JSON.stringify(text)}: it must be a port, from 1 to 65535`);
    },
  };
}
