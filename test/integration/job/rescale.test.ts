import { expect, it } from 'vitest';
import type { JobRun } from '../../support/job-run.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';

/** Words that are many, so that every subtask has some. */
const burst = (lines: number) => Array.from({ length: lines }, (_, at) => `w${at % 400} w${(at * 7) % 400} w${(at * 13) % 400}`);

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
  await count.write(someLines(20));
  await run.event('committed', ({ figures }) => figures.recordsIn > 0);
  await count.write(burst(2_500));
  const up = await run.until('more subtasks', () => changes(run).find(({ from, to }) => to > from));
  expect(up.why).toMatch(/records behind, which take .* s at \d+ a second: more than 1\.0 s/);
  const full = run.eventsOf('planned').find(({ backlogRecords }) => backlogRecords > 500)?.epoch ?? 0;
  expect(up.epoch - full).toBeLessThanOrEqual(3);
  await run.until('all of it', () =>
    run.eventsOf('committed').find(({ epoch, figures }) => epoch > up.epoch && figures.recordsBehind === 0),
  );
  const feed = count.feed();
  const fewer = await run.until('fewer subtasks', () => changes(run).find(({ from, to }) => to < from));
  expect(fewer.why).toMatch(/3 epochs in a row have left nothing behind/);
  await feed.stop();
  await count.expectExact(run);
  expect(run.eventsOf('lease-taken')).toHaveLength(1);
  expect(run.eventsOf('attempt-failed')).toEqual([]);
  expect(run.crashes).toEqual([]);
});
