import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { jobRow, manifestOf } from '../../support/epochs.ts';
import type { JobRun } from '../../support/job-run.ts';
import { onceflow } from '../../support/onceflow.ts';
import { waitFor } from '../../support/wait-for.ts';
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
  const run = count.job.start({}, 'each');
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

it('a person asks for other numbers while it runs: they stay through a kill of the coordinator, and a stopped job is refused', async () => {
  const count = await newWordCount({
    env: { ONCEFLOW_PARALLELISM: '1..3', ONCEFLOW_CHECKPOINT_INTERVAL_MS: '300', ONCEFLOW_SCALE_UP_BACKLOG_MS: 'unlimited' },
  });
  const rescale = (...asked: string[]) => onceflow(count.job.env, 'rescale', ...asked);
  const run = count.job.start({}, 'each');
  await run.event('starting-offsets');
  const feed = count.feed();
  await run.event('committed', ({ epoch }) => epoch > 1);
  await waitFor('the row', async () => (await jobRow(count.job.name)).scale !== undefined);
  expect(await rescale('count-words=3', 'write-counts=2', 'read-lines=2')).toMatchObject({ code: 0 });
  const to = (stage: string, subtasks: number) => run.event('rescaled', (event) => event.stage === stage && event.to === subtasks);
  await Promise.all([to('count-words', 3), to('write-counts', 2), to('read-lines', 2)]);
  expect(await rescale('count-words=4')).toMatchObject({ code: 2, stdout: expect.stringContaining('out of its bounds, 1 to 3') });
  expect(await rescale('words=2')).toMatchObject({ code: 2, stdout: expect.stringContaining('has no stage words') });
  process.kill(await run.pid('coordinator'), 'SIGKILL');
  await run.until('the next coordinator', () => run.eventsOf('recovered')[1]);
  const { epoch } = await manifestOf(count.job.name);
  await run.event('committed', (event) => event.epoch > epoch + 1);
  const asked = { 'read-lines': 2, 'count-words': 3, 'write-counts': 2 };
  expect((await manifestOf(count.job.name)).parallelism).toEqual(asked);
  expect((await onceflow(count.job.env, 'status', '--json')).json()).toMatchObject({
    rescale: asked,
    scale: { 'count-words': { subtasks: 3, least: 1, most: 3, since: { why: 'asked for by hand' } } },
  });
  expect(await rescale('count-words=1')).toMatchObject({ code: 0 });
  await to('count-words', 1);
  await feed.stop();
  await count.expectExact(run);
  expect(await rescale('count-words=2')).toMatchObject({ code: 1, stdout: expect.stringContaining('is stopped') });
});
