/** `npm run example`: see USAGE. */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dev } from '../dev/dev.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import { runCommand } from '../local/command.ts';
import { type Example, examples } from './examples.ts';

const names = examples.map(({ name, shows }) => `  ${name.padEnd(16)} ${shows}`).join('\n');
const USAGE = `npm run example [-- NAME]

Runs one of the examples on a Kafka of its own (or on that of ONCEFLOW_BROKERS), feeds it its input, prints what it commits, and ends. Without a
name it lists them:

${names}

The job is examples/NAME.ts, its input examples/input/NAME.txt; docs/examples/README.md says more.`;

/** A few lines an epoch: results are seen to come, and what is late comes late. */
const EPOCH_MS = '200';
const LINE_MS = 80;

await runCommand({ name: 'npm run example', usage: USAGE, options: {}, positionals: true }, async (_, [name, ...more]) => {
  if (name === undefined) {
    console.log(names);
    return 0;
  }
  const example = examples.find((each) => each.name === name);
  if (example === undefined || more.length > 0)
    throw new UsageError(`takes one of ${examples.map((each) => each.name).join(', ')}, and was given ${[name, ...more].join(' ')}`);
  return (await run(example)) ? 0 : 1;
});

function run({ name, staysMs }: Example): Promise<boolean> {
  const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  return dev({
    env: { ONCEFLOW_CHECKPOINT_INTERVAL_MS: EPOCH_MS, ONCEFLOW_STARTING_OFFSETS: 'latest', ...process.env },
    module: file(`./${name}.ts`),
    createTopics: true,
    // Times are in the order of the file.
    partitions: 1,
    input: undefined,
    folder: file(`../.onceflow/examples/${name}`),
    port: undefined,
    fresh: true,
    once: true,
    staysMs,
    killEveryS: undefined,
    verbose: false,
    say: (line) => console.error(line),
    show: (line) => console.log(line),
    json: false,
    stdin: Readable.from(slowly(file(`./input/${name}.txt`)), { objectMode: false }),
  });
}

async function* slowly(file: string): AsyncGenerator<string> {
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    yield `${line}\n`;
    await sleep(LINE_MS);
  }
}
