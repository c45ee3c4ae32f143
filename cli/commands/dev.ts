import { plainCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { flag, maybeNumber, named, portNumber, wholeNumber } from '../options.ts';

const PARTITIONS = 3;

export default plainCommand({
  name: 'dev',
  usage: 'runs a job here, and anew each time its module is saved; lines that you type are its input, what it commits is shown',
  more: `The job is MODULE, or what ONCEFLOW_JOB names, or ./src/job.ts. Kafka is at ONCEFLOW_BROKERS, or an embedded one (with Java): then topics that
are missing are made. Epochs are in a file of SQLite, blobs in a folder. Every ONCEFLOW_… variable sets the job. Output goes to standard output, all
else to standard error.`,
  arguments: { takes: '[MODULE]', most: 1 },
  json: 'a JSON object for each record',
  options: {
    'create-topics': flag('makes topics that are missing on the brokers of ONCEFLOW_BROKERS'),
    partitions: wholeNumber({ takes: 'N', default: PARTITIONS, help: 'of topics that are made' }),
    input: named('SOURCE', 'which source gets the lines, by uid or topic (default the only one; of several a line names its own)'),
    dir: named('FOLDER', 'what is kept from one start to the next (default .onceflow/dev)'),
    port: portNumber('of the embedded Kafka (default one that is free)'),
    fresh: flag('forgets what was kept'),
    once: flag('ends when all that was piped in is committed'),
    'kill-every': maybeNumber({
      takes: 'S',
      help: "kills one of the job's processes with -9 each S seconds, once an epoch was committed since",
    }),
    verbose: flag('says what each epoch does'),
  },
  examples: [
    { call: 'dev', does: 'runs ./src/job.ts on an embedded Kafka' },
    { call: 'dev --once', does: 'with "< in.txt > out.txt": puts a file through the job, and ends' },
    { call: 'dev --once --kill-every 1', does: 'the same while processes are killed: what it commits is the same' },
    { call: 'dev jobs/clicks.ts --create-topics --partitions 6', does: 'on your brokers: ONCEFLOW_BROKERS=host:9092' },
  ],
  async run({ env, say, show, json }, { 'create-topics': createTopics, 'kill-every': killEveryS, dir: folder, ...values }, [module]) {
    const { dev } = await import('../../dev/dev.ts');
    const isWell = await dev({ ...values, env, module, createTopics, killEveryS, folder, say, show, json, stdin: process.stdin });
    return { code: isWell ? EXIT.ok : EXIT.failed, json: undefined, text: '' };
  },
});
