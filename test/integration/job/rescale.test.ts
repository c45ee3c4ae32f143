import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { JobRun } from '../../support/job-run.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';

const changes = (run: JobRun) => run.eventsOf('rescaled').filter(({ stage }) => stage === 'count-words');

it('a burst has more subtasks within three epochs, and fewer again when it is over, with no restart', async () => {
  const count = await newWordCount({
    module: 'test/support/waiting-job.ts',
    env: {
      ONCEFLOW_STAGE_PARALLELISM: 'count-words=1..8',
      ONCEFLOW_CHECKPOINT_INTERVAL_MS: '500',
      ONCEFLOW_SCALE_UP_BACKLOG_MS: '1000',
      ONCEFLOW_SCALE_DOWN_EPOCHS: '3',
    },
  });
  const run = count.job.start();
  await run.event('starting-offsets');
  // A load that one subtask is enough for, all the time.
  let isOver = false;
  const base = (async () => {
    for (let seed = 1_000; !isOver; seed++) {
      await count.write(someLines(1, seed));
      await sleep(200);
    }
  })();
  onTestFinished(() => {
    isOver = true;
    return base;
  });
  await run.event('committed', ({ epoch, figures }) => epoch > 2 && figures.recordsIn > 0);
  // And fifty times of it.
  const feed = count.feed();
  const up = await run.until('more subtasks', () => changes(run).find(({ from, to }) => to > from));
  expect(up.why).toMatch(/\d+ records (behind|in one epoch), which take .* s at \d+ a second: more than 1\.0 s/);
  // Of the first that was too slow; the two behind it were under way by then.
  const slow = await run.event('committed', ({ figures }) => (figures.operatorMs ?? 0) > 1_000 || figures.recordsBehind > 500);
  expect(up.epoch - slow.epoch).toBeLessThanOrEqual(3);
  await run.event('committed', ({ epoch }) => epoch > up.epoch + 2);
  await feed.stop();
  const fewer = await run.until('fewer subtasks', () => changes(run).find(({ from, to }) => to < from));
  expect(fewer.why).toMatch(/3 epochs in a row have left nothing behind/);
  isOver = true;
  await base;
  await count.expectExact(run);
  // The pause of a change is no longer than one epoch more.
  const times = run.eventsOf('committed').map(({ epoch, figures }) => ({ epoch, ms: figures.epochMs }));
  const changed = changes(run).map(({ epoch }) => epoch);
  const longest = Math.max(...times.filter(({ epoch }) => !changed.includes(epoch)).map(({ ms }) => ms));
  for (const { epoch, ms } of times) if (changed.includes(epoch)) expect(ms, `epoch ${epoch}`).toBeLessThanOrEqual(2 * longest);
  expect(run.eventsOf('lease-taken')).toHaveLength(1);
  expect(run.eventsOf('attempt-failed')).toEqual([]);
  expect(run.crashes).toEqual([]);
});
