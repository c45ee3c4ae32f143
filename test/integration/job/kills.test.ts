import { expect, it } from 'vitest';
import { newWordCount } from '../../support/word-count-run.ts';

const ROLES = ['source', 'operator', 'sink', 'coordinator'];
const KILLS_OF_EACH = 3;

it('kill -9 under load, of the source, the operator, the sink and the coordinator, each again and again, loses nothing and repeats nothing', async () => {
  const count = await newWordCount();
  const run = count.job.start({}, 'each');
  const feed = count.feed();
  for (const role of Array.from({ length: KILLS_OF_EACH }, () => ROLES).flat()) {
    const [committed, crashes] = [run.eventsOf('committed').length, run.crashes.length];
    await run.until('two more epochs', () => run.eventsOf('committed').length >= committed + 2 || undefined);
    process.kill(await run.pid(role), 'SIGKILL');
    await run.until(`the crash of the ${role}`, () => run.crashes.length > crashes || undefined);
    expect(run.crashes.at(-1)?.name).toContain(role);
  }
  await feed.stop();
  await count.expectExact(run);
});
