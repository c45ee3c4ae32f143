import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { DebuggerClient } from '../../support/debugger-client.ts';
import { freePort } from '../../support/doors.ts';
import { jobRow, manifestOf } from '../../support/epochs.ts';
import { newJob } from '../../support/job.ts';
import { onceflow } from '../../support/onceflow.ts';
import { TopicReader } from '../../support/topic-reader.ts';
import { newProducer, newTopic, send } from '../../support/topics.ts';
import { newWordCount } from '../../support/word-count-run.ts';

const COMMAND = fileURLToPath(new URL('../../../cli/onceflow.mjs', import.meta.url));

/** Everything is in blobs and in the log, and nothing is retired. */
const KEPT = { ONCEFLOW_INLINE_BLOB_BYTES: '0', ONCEFLOW_RETAINED_CHECKPOINTS: '1000', ONCEFLOW_STAGE_PARALLELISM: 'count-words=2' };

/** A job that has counted these lines, each in an epoch of its own, and stands. */
async function counted(...lines: readonly string[]) {
  const count = await newWordCount({ env: KEPT });
  const run = count.job.start();
  for (const line of lines) {
    await count.write([line]);
    await count.allCounted(run);
  }
  await run.stop();
  // As the next collection would: what an epoch has staged is needed until it is committed.
  for (const folder of globSync(join(count.job.blobs, '**/output'))) rmSync(folder, { recursive: true });
  const row = await jobRow(count.job.name);
  return { count, last: row.lastCompleted?.epoch ?? 0, generation: row.generation };
}

it('every epoch of a word count is equal when it is run again; of changed code the words are named that it counts otherwise', async () => {
  const { count, last, generation } = await counted('hello world hello', 'good morning', 'hello again');
  const { name, env } = count.job;
  expect(last).toBeGreaterThanOrEqual(3);
  for (let epoch = 1; epoch <= last; epoch++) {
    const found = await onceflow(env, 'replay', '--epoch', `${epoch}`, '--json');
    expect(found, found.stderr).toMatchObject({ code: 0 });
    expect(found.json()).toMatchObject({
      job: name,
      epoch,
      outcome: 'equal',
      output: [{ sink: 'write-counts', compared: true, fromLog: true }],
      state: [{ operator: 'count-words', differing: 0 }],
    });
  }
  const read = await onceflow(env, 'state', 'read', '--operator', 'count-words');
  const entries = read.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; value: number });
  expect(Object.fromEntries(entries.map(({ key, value }) => [key, value]))).toEqual({ hello: 3, world: 1, good: 1, morning: 1, again: 1 });

  const changed = await onceflow(env, 'rehearse', '--job', './test/support/changed-word-count.ts', '--epochs', `1..${last}`, '--json');
  expect(changed, changed.stderr).toMatchObject({ code: 10 });
  const { epochs } = changed.json() as unknown as { epochs: { outcome: string; output: unknown[]; state: unknown[] }[] };
  expect(epochs[0]?.output).toMatchObject([
    // 1 and 2 were decided, and 2 and 4 came.
    { byKey: [{ key: null, onlyDecided: ['hello:::1'], onlyAgain: ['hello:::4'] }] },
  ]);
  expect(epochs.at(-1)?.state).toMatchObject([{ differing: 1, byKey: [{ key: 'hello', states: [{ state: 'count', one: 3, other: 6 }] }] }]);

  // It is as it was left: nobody has taken the job, and what was decided is what was decided.
  expect(await jobRow(name)).toMatchObject({ generation, lastCompleted: { epoch: last }, desired: 'stopped' });
  expect((await manifestOf(name)).epoch).toBe(last);
});

it('so is every epoch of a job of windows, timers and a time to live, those without input too', async () => {
  const [lines, windows, reminders, producer] = await Promise.all([
    newTopic('lines'),
    newTopic('windows'),
    newTopic('reminders'),
    newProducer(),
  ]);
  const topics = { 'read-lines': lines, 'write-windows': windows, 'write-reminders': reminders };
  const job = await newJob('test/support/timed-job.ts', topics, { ...KEPT, ONCEFLOW_STAGE_PARALLELISM: 'read-lines=3,count-in-windows=2' });
  const run = job.start();
  const read = new TopicReader(reminders, 'committed');
  for (let second = 0; second < 4; second++) {
    await send(producer, lines, [`ant ${second * 1_000}`, `bee ${second * 1_000 + 400}`, `cow ${second * 1_000 + 999}`]);
    // When the partitions are idle, in an epoch without input, all lines before this second have their reminders, but that of the last cow.
    await read.readUntil(({ records }) => records.length >= 3 * second - 1);
  }
  await run.event('committed', ({ epoch }) => epoch >= 4);
  await run.stop();
  const { lastCompleted } = await jobRow(job.name);
  const last = lastCompleted?.epoch ?? 0;
  const found = await onceflow(job.env, 'rehearse', '--epochs', `1..${last}`, '--json');
  expect(found, `${found.stderr} ${found.stdout}`).toMatchObject({ code: 0 });
  const { epochs } = found.json() as unknown as {
    epochs: { recordsIn: number; state: { operator: string; keys: number; differing: number }[] }[];
  };
  expect(epochs).toHaveLength(last);
  expect(epochs.some(({ recordsIn }) => recordsIn === 0)).toBe(true);
  expect(epochs.at(-1)?.state).toMatchObject([
    { operator: 'count-in-windows', differing: 0 },
    { operator: 'remind', keys: 3, differing: 0 },
  ]);
  const timers = await onceflow(job.env, 'state', 'read', '--state', '@timers', '--operator', 'remind');
  expect(timers).toMatchObject({ code: 0 });
});

it('a job that has never run begins with the state that lines of JSON say', async () => {
  const count = await newWordCount({ env: { ONCEFLOW_START_FROM: 'prepared' } });
  const file = join(count.job.blobs, 'lines.jsonl');
  writeFileSync(file, JSON.stringify({ operator: 'count-words', key: 'hello', state: 'count', value: 41 }));
  const made = await onceflow(count.job.env, 'state', 'write', 'prepared', file);
  expect(made, made.stderr).toMatchObject({ code: 0 });
  const run = count.job.start();
  await count.write(['hello world']);
  await count.reader.readUntil(({ records }) => records.length >= 2);
  await run.stop();
  expect(count.reader.values.toSorted()).toEqual(['hello:::42', 'world:::1']);
});

it('a debugger stops in a function of the job', async () => {
  const { count, last } = await counted('hello world');
  const args = [COMMAND, 'replay', '--epoch', `${last}`, '--inspect-brk', '--inspect-port', `${await freePort()}`];
  const child = spawn(process.execPath, args, { env: count.job.env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  let address: string | undefined;
  for await (const line of createInterface({ input: child.stderr })) {
    address = /ws:\/\/\S+/.exec(line)?.[0];
    if (address !== undefined) break;
  }
  if (address === undefined) throw new Error('no debugger can connect');
  child.stderr.resume();
  const client = await DebuggerClient.connect(address);
  await client.ask('Runtime.enable');
  await client.ask('Debugger.enable');
  await client.ask('Runtime.runIfWaitingForDebugger');
  expect(await client.paused()).toMatchObject({ functionName: 'waitForDebugger' });
  // `out.emit(…)` of jobs/word-count.ts, which is loaded by now.
  const set = await client.ask('Debugger.setBreakpointByUrl', { urlRegex: 'jobs/word-count\\.ts$', lineNumber: 10 });
  expect(set).toMatchObject({ locations: [expect.anything()] });
  await client.ask('Debugger.resume');
  const frame = await client.paused();
  expect(frame).toMatchObject({ functionName: 'onRecord' });
  const word = await client.ask('Debugger.evaluateOnCallFrame', { callFrameId: frame.callFrameId, expression: 'word' });
  expect(word).toMatchObject({ result: { value: expect.stringMatching(/hello|world/) } });
  await client.ask('Debugger.removeBreakpoint', { breakpointId: set['breakpointId'] });
  await client.ask('Debugger.resume');
  client.close();
  expect(await ended).toEqual([0, null]);
});
