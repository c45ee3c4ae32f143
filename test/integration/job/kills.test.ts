import { describe, it } from 'vitest';
import { newWordCount } from '../../support/word-count-run.ts';

const KILLS = 3;

describe('kill -9 under load', () => {
  it.each(['source', 'operator', 'sink', 'coordinator'])('of the %s, again and again, loses nothing and repeats nothing', async (role) => {
    const count = await newWordCount();
    const run = count.job.start();
    const feed = count.feed();
    for (let kill = 1; kill <= KILLS; kill++) {
      const committed = run.eventsOf('committed').length;
      await run.until('two more epochs', () => run.eventsOf('committed').length >= committed + 2 || undefined);
      process.kill(await run.pid(role), 'SIGKILL');
      await run.until('the crash', () => run.crashes.length >= kill || undefined);
    }
    await feed.stop();
    await count.expectExact(run);
  });
});
