import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../lib/api/index.ts';
import { compilePlan } from '../../lib/plan/compile.ts';
import { runCommand } from '../unit/cli/run-command.ts';
import { wordsBy } from './jobs/lines.ts';
import { modelEpochStore } from './models/epoch-store.ts';
import { EpochTable } from './models/epoch-table.ts';
import { parallelismOf } from './parallelism.ts';
import { archiveOf, writesIn } from './replayed.ts';
import { story } from './scenarios/story.ts';
import { INPUT, JOB, type SimJob } from './sim-job.ts';
import { faultless, type UserCode } from './user-code.ts';
import type { World } from './world.ts';
import type { WorldOptions } from './world-options.ts';

interface Tally {
  readonly word: string;
  readonly n: number;
}

/** The word count, whose records have keys. @param weightOf how often a word counts */
function tally(weightOf: (word: string) => number = () => 1, fails: (word: string) => boolean = () => false): SimJob {
  return {
    name: 'tally',
    define: (_build, startingOffsets, code: UserCode = faultless) =>
      defineJob(JOB, (job) => {
        job
          .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
          .flatMap(wordsBy(code))
          .keyBy((word) => word, utf8)
          .process('count', {
            state: { count: valueState(int64, 0) },
            onRecord(word, { count }, out: Output<Tally>) {
              if (fails(word)) throw new RangeError(`no ${word}`);
              out.emit({ word, n: count.update((n) => n + weightOf(word)) });
            },
          })
          .sink(
            'write',
            kafkaSink({
              topic: 'output',
              key: utf8,
              value: utf8,
              toRecord: ({ word, n }: Tally) => ({ key: word, value: `${word}:::${n}` }),
            }),
          );
      }),
  };
}

/** A job that has counted in four epochs, and what another machine finds of it. */
async function counted(retainedCheckpoints: number, code: SimJob = tally()) {
  const job = tally();
  let world: World | undefined;
  const options: Partial<WorldOptions> = {
    job,
    settings: { retainedCheckpoints },
    parallelism: () => parallelismOf(job, { source: 2, operator: 2, sink: 1 }),
    prepare: (made) => {
      world = made;
    },
  };
  await story([], options);
  if (world === undefined) throw new Error('there is no world');
  const { replay, asked } = archiveOf(world, { seed: 1, ...options } as WorldOptions, code.define('a', 'earliest'));
  const said: string[] = [];
  const shown: string[] = [];
  const tools = {
    job: JOB,
    config: { deliveryGuarantee: 'exactly-once', table: 'test' },
    epochs: replay.archive.epochs,
    kafka: async () => replay.kafka,
    blobStore: async () => replay.blobStore,
    configured: async () => ({ job: replay.job, plan: compilePlan(replay.job), parallelism: replay.parallelism }),
    targets: replay.targets,
    clock: replay.clock,
    random: replay.random,
    say: (line: string) => said.push(line),
    show: (line: string) => shown.push(line),
    json: false,
  };
  return { tools, world, replay, asked, said, shown };
}

it('an epoch that is run again by the same code is equal, and nothing is asked of any service but to be read', async () => {
  const { tools, asked } = await counted(10);
  const found = await runCommand(['replay', '--epoch', '3'], tools);
  expect(found).toMatchObject({ code: 0, json: { outcome: 'equal', recordsIn: 1, state: [{ operator: 'count', differing: 0 }] } });
  expect(found.text).toContain('output of write: the same 3 rows');
  expect(writesIn(asked)).toEqual([]);
});

it('of changed code the keys are named that it changes, in output and state, and no others', async () => {
  const { tools } = await counted(
    10,
    tally((word) => (word === 'ant' ? 10 : 1)),
  );
  const found = await runCommand(['rehearse', '--epochs', '1..4'], tools);
  expect(found.code).toBe(10);
  const { epochs } = found.json as { epochs: readonly { outcome: string; output: unknown; state: unknown }[] };
  // In epoch 3 no ant came: of one that is not the last, output is compared.
  expect(epochs.map(({ outcome }) => outcome)).toEqual(['different', 'different', 'equal', 'different']);
  expect(epochs[0]?.output).toMatchObject([
    { sink: 'write', byKey: [{ place: 'output-0', key: 'ant', onlyDecided: ['ant:::1'], onlyAgain: ['ant:::10'] }] },
  ]);
  // Its state goes on in memory, from epoch to epoch: 4 of them, of which the first came in epoch 1.
  expect(epochs[3]?.state).toMatchObject([
    { operator: 'count', differing: 1, byKey: [{ key: 'ant', states: [{ state: 'count', one: 4, other: 40 }] }] },
  ]);
  expect(found.text).toBe('4 epochs run again: 3 differ');
});

it('code that fails at a record of an epoch is said to, with its own message', async () => {
  const { tools } = await counted(
    10,
    tally(undefined, (word) => word === 'auk'),
  );
  const found = await runCommand(['rehearse', '--epochs', '2..4'], tools);
  expect(found).toMatchObject({ code: 10, json: { epochs: [{ outcome: 'equal' }, { outcome: 'failed', failed: { stage: 'count' } }] } });
  expect(JSON.stringify(found.json)).toContain('no auk');
});

it('state is read key by key after any epoch that is kept, and compared between two', async () => {
  const { tools, shown } = await counted(10);
  await runCommand(['state', 'read', '--epoch', '2'], tools);
  const entries = shown.map((line) => JSON.parse(line) as { key: string });
  const of = (key: string, value: number) => ({ operator: 'count', key, state: 'count', kind: 'value', value });
  expect(entries.toSorted((one, other) => (one.key < other.key ? -1 : 1))).toEqual([of('ant', 3), of('bee', 1), of('cow', 1)]);
  shown.length = 0;
  await runCommand(['state', 'read', '--operator', 'count', '--state', 'count', '--key', 'bee'], tools);
  expect(shown.map((line) => JSON.parse(line))).toEqual([of('bee', 3)]);
  const found = await runCommand(['state', 'diff', '--epochs', '1..2'], tools);
  expect(found).toMatchObject({
    code: 10,
    json: { state: [{ keys: 3, otherKeys: 3, differing: 1, byKey: [{ key: 'ant', states: [{ one: 1, other: 3 }] }] }] },
  });
});

it('what a savepoint keeps is read as the epoch that it is of, also when that is retired', async () => {
  const { tools, shown, world } = await counted(10);
  const row = world.table.row(JOB);
  const manifest = await tools.epochs.readEpoch(JOB, row?.incarnation ?? '', 2);
  const saved = { standing: 'complete', manifest: manifest?.manifest, fingerprint: row?.fingerprint, maxParallelism: row?.maxParallelism };
  const epochs = {
    ...tools.epochs,
    readJob: async () => undefined,
    readSavepoint: async (_: string, name: string) => (name === 'kept' ? saved : undefined),
  };
  await runCommand(['state', 'read', '--from', 'kept', '--key', 'ant'], { ...tools, epochs });
  expect(shown.map((line) => JSON.parse(line))).toMatchObject([{ key: 'ant', value: 3 }]);
  expect((await runCommand(['state', 'read', '--from', 'other'], { ...tools, epochs })).text).toBe(
    'job job has no savepoint other: "onceflow savepoint list" shows those that there are',
  );
});

it('of lines that were read a savepoint is made, which holds the same; one of a name that is taken is refused', async () => {
  const { tools, shown } = await counted(10);
  await runCommand(['state', 'read', '--epoch', '2'], tools);
  const file = join(mkdtempSync(join(tmpdir(), 'onceflow-lines-')), 'lines.jsonl');
  onTestFinished(() => rmSync(dirname(file), { recursive: true }));
  writeFileSync(file, shown.join('\n'));
  const epochs = modelEpochStore(new EpochTable(() => 0), async (_api, _about, _failure, execute) => execute(undefined as never));
  const config = { ...tools.config, maxParallelism: 32 };
  const writing = { ...tools, config, epochs };
  expect(await runCommand(['state', 'write', 'prepared', file], writing)).toMatchObject({
    code: 0,
    json: { savepoint: 'prepared', lines: 3 },
  });
  expect(await epochs.readSavepoint(JOB, 'prepared')).toMatchObject({ job: JOB, standing: 'complete', epoch: 0, maxParallelism: 32 });
  const before = shown.toSorted();
  shown.length = 0;
  await runCommand(['state', 'read', '--from', 'prepared'], writing);
  expect(shown.toSorted()).toEqual(before);
  await expect(runCommand(['state', 'write', 'prepared', file], writing)).rejects.toThrow('job job has a savepoint prepared already');
  writeFileSync(file, `${before[0]}\nnothing`);
  await expect(runCommand(['state', 'write', 'other', file], writing)).rejects.toThrow(`${file}, line 2: it is no JSON`);
  await expect(runCommand(['state', 'write', 'other', `${file}.gone`], writing)).rejects.toThrow(`there is no file ${file}.gone`);
  expect((await epochs.listSavepoints(JOB)).map(({ name }) => name)).toEqual(['prepared']);
});

it.each([
  ['an epoch that is not decided', ['replay', '--epoch', '99'], 'epoch 99 of job job is not decided: the last is 4'],
  [
    'epoch 0',
    ['replay', '--epoch', '0'],
    'epoch 0 of job job decides where each source begins, and nothing is run in it: the first to run again is 1',
  ],
  [
    'an epoch that is retired',
    ['replay', '--epoch', '1'],
    'epoch 1 of job job is retired: the oldest that can be is 4, the newest 4 (ONCEFLOW_RETAINED_CHECKPOINTS says how many are kept)',
  ],
  [
    'an epoch whose parent is retired',
    ['rehearse', '--epochs', '3..4'],
    'epoch 3 of job job begins at the snapshots of epoch 2, which is retired: the oldest that can be is 4, the newest 4 (ONCEFLOW_RETAINED_CHECKPOINTS says how many are kept)',
  ],
  [
    'the state of an epoch that is retired',
    ['state', 'read', '--epoch', '1'],
    'epoch 1 of job job is retired, and its snapshots are gone: the oldest that can be is 3, the newest 4 (ONCEFLOW_RETAINED_CHECKPOINTS says how many are kept)',
  ],
])('%s is refused, and said why', async (_what, call, message) => {
  const { tools } = await counted(2);
  expect(await runCommand(call, tools)).toEqual({ code: 1, json: { outcome: 'refused', message }, text: message });
});

it('input that retention has taken is said, with where and what must keep it', async () => {
  const { tools, replay } = await counted(10);
  const kafka = { ...replay.kafka, offsets: async (_: string, partitions: readonly number[]) => partitions.map(() => 9) };
  const found = await runCommand(['replay', '--epoch', '2'], { ...tools, kafka: async () => kafka });
  expect(found.code).toBe(1);
  expect(found.text).toBe(
    "epoch 2 read topic input, partition 1, from offset 0 to 0, and the log begins at 9 now: the topic's retention (retention.ms, retention.bytes) must keep input for as long as epochs are to be replayed",
  );
});

it('code of another graph is refused: what is gone always, what is new where the epoch is to be what it was', async () => {
  const other = defineJob(JOB, (job) => {
    job.source('read', kafkaSource({ topic: INPUT, value: utf8 })).sink('write', kafkaSink({ topic: 'output', value: utf8 }));
  });
  const { tools } = await counted(10);
  const gone = { ...tools, configured: async () => ({ job: other, plan: compilePlan(other), parallelism: {} }) };
  for (const call of [
    ['replay', '--epoch', '2'],
    ['rehearse', '--epochs', '2..3'],
    ['state', 'read'],
  ])
    expect((await runCommand(call, gone)).text).toContain('job job cannot go on with this graph: keyed operator count is gone');
  const grown = defineJob(JOB, (job) => {
    const words = job.source('read', kafkaSource({ topic: INPUT, value: utf8 })).flatMap((line) => line.split(' '));
    const counts = words
      .keyBy((word) => word, utf8)
      .process('count', {
        state: { count: valueState(int64, 0), more: valueState(int64, 0) },
        onRecord(_word, { more }, _out: Output<string>) {
          more.update((n) => n + 1);
        },
      });
    counts.sink('write', kafkaSink({ topic: 'output', value: utf8 }));
  });
  const more = { ...tools, configured: async () => ({ job: grown, plan: compilePlan(grown), parallelism: {} }) };
  expect((await runCommand(['replay', '--epoch', '2'], more)).text).toBe(
    'job job has not run this graph: state of count: more is new. Take the code that the job runs, or rehearse this one (onceflow rehearse)',
  );
  expect(await runCommand(['rehearse', '--epochs', '2..2'], more)).toMatchObject({
    code: 10,
    json: {
      news: ['state of count: more is new'],
      epochs: [{ state: [{ byKey: expect.arrayContaining([{ key: 'ant', states: expect.anything() }]) }] }],
    },
  });
});

it('a topic of another name than the epoch read is refused, and said how to name it', async () => {
  const { tools, replay } = await counted(10);
  const nodes = replay.job.nodes.map((node) => (node.kind === 'source' ? { ...node, topic: 'elsewhere' } : node));
  const job = { ...replay.job, nodes };
  const moved = { ...tools, configured: async () => ({ job, plan: compilePlan(job), parallelism: {} }) };
  expect((await runCommand(['replay', '--epoch', '2'], moved)).text).toBe(
    'source read of this job reads topic elsewhere, and in epoch 2 it read input: name that by ONCEFLOW_TOPICS=read=input',
  );
});
