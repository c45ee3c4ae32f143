/** `npm run nexmark`: see USAGE. */
import { spawnSync } from 'node:child_process';
import { UsageError } from '../../lib/config/usage-error.ts';
import { runCommand, wholeNumber } from '../../local/command.ts';
import { QUERIES } from '../support/nexmark/queries.ts';

const USAGE = `npm run nexmark -- [--seed S] [--events N] [QUERY …]    runs Nexmark's queries (default: all) on a Kafka of its own, over N events (default 1200) of
                                                        seed S (default: a new one), kills each job by kill -9 in the middle and starts
                                                        it again, and compares what it has written with what a naive query makes of
                                                        the same events. A line for each query; exit code 1 when one is not equal`;

const options = { seed: { type: 'string' }, events: { type: 'string', default: '1200' } } as const;

await runCommand({ name: 'npm run nexmark', usage: USAGE, options, positionals: true }, async (given, asked) => {
  const seed = given.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', given.seed, 0);
  const events = wholeNumber('events', given.events, 100);
  const unknown = asked.find((name) => !QUERIES.has(name));
  if (unknown !== undefined) throw new UsageError(`there is no query ${unknown}: there are ${[...QUERIES.keys()].join(', ')}`);
  console.log(`${asked.length === 0 ? 'all queries' : asked.join(' ')} over ${events} events of seed ${seed}`);
  // A test of each: it has the stack, and ends what it has started however it ends.
  const args = ['test/run.ts', '--project', 'integration', 'test/integration/job/nexmark.test.ts', '--maxWorkers', '1'];
  const named = {
    NEXMARK_SEED: String(seed),
    NEXMARK_EVENTS: String(events),
    NEXMARK_QUERIES: (asked.length === 0 ? [...QUERIES.keys()] : asked).join(','),
  };
  return spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...named } }).status ?? 1;
});
