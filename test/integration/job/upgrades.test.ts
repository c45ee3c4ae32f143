import { expect, it } from 'vitest';
import { jobRow } from '../../support/epochs.ts';
import { onceflow } from '../../support/onceflow.ts';
import { newWordCount } from '../../support/word-count-run.ts';
import { someLines } from '../../support/word-counts.ts';

it('a job under load is updated to a build with other names and another form of its state, and stays exact; the build before is refused then', {
  timeout: 240_000,
}, async () => {
  const count = await newWordCount({
    env: { ONCEFLOW_CHECKPOINT_INTERVAL_MS: '200', ONCEFLOW_STAGE_PARALLELISM: 'count-words=1..3' },
  });
  const before = count.job.start();
  const feed = count.feed();
  await before.event('committed', ({ epoch }) => epoch >= 5);
  const { incarnation } = await jobRow(count.job.name);
  const rescaled = await onceflow({ ...count.job.env, ONCEFLOW_JOB_NAME: count.job.name }, 'rescale', 'count-words=2');
  expect(rescaled).toMatchObject({ code: 0 });
  await before.event('rescaled', ({ stage, to }) => stage === 'count-words' && to === 2);
  const upgraded = {
    ONCEFLOW_JOB: './test/support/upgraded-word-count.ts',
    ONCEFLOW_STAGE_PARALLELISM: 'tally=1..3',
    ONCEFLOW_TOPICS: `read-words=${count.input},write-counts=${count.output}`,
  };

  const after = count.job.start(upgraded);
  expect(await after.event('graph-changed')).toEqual({
    event: 'graph-changed',
    added: [],
    renamed: [
      'source read-words goes on as what read-lines was',
      'keyed operator tally goes on as what count-words was',
      'state of tally: visits goes on as what count was',
    ],
  });
  expect(await before.ended).toMatchObject({ end: 'superseded' });
  const { epoch } = await after.event('committed');
  await after.event('committed', (event) => event.epoch >= epoch + 4);

  // The build before would leave all of it behind.
  const back = count.job.start();
  expect(await back.ended).toMatchObject({
    end: 'refused',
    message: expect.stringMatching(
      /source read-words is gone, and with it its offsets .* tally is gone.*Nothing was changed: job \S+ runs on/,
    ),
  });

  await feed.stop();
  await count.expectExact(after);
  // What was asked for by hand is asked for under the new name.
  expect(await jobRow(count.job.name)).toMatchObject({
    incarnation,
    rescale: { subtasks: { tally: 2 } },
    scale: { tally: { subtasks: 2 } },
  });

  // What nobody has written since is read by a build that still knows how, and is no secret to people.
  const env = { ...count.job.env, ...upgraded, ONCEFLOW_JOB_NAME: count.job.name };
  const read = await onceflow(env, 'state', 'read', '--operator', 'tally', '--state', 'visits');
  const lines = read.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.every(({ value }) => value.unit === 'words' && value.n > 0)).toBe(true);
  await count.write(someLines(20, 3));
  await count.expectExact(count.job.start(upgraded));
});
