import { expect, it } from 'vitest';
import type { StartAt } from '../../../lib/epoch/start/start-at.ts';
import type { JobRow, Savepoint } from '../../../lib/ports/epoch-store.ts';
import { asCommittable } from '../../../lib/sinks/kafka/committable.ts';
import { jobRowOf, manifestOf, NOW } from './rows.ts';
import { runCommand } from './run-command.ts';

const written = (epoch: number) =>
  asCommittable({
    ...{ sink: 'write', subtask: 0, epoch, transactionalId: 't', producerId: '1', producerEpoch: 0 },
    written: [{ topic: 'counts', partition: 2, first: epoch * 10, last: epoch * 10 + 4 }],
  });
const at = (epoch: number) => manifestOf(epoch, { offsets: { read: { lines: [epoch * 100] } }, committables: [written(epoch)] });
const savepoint: Savepoint = {
  ...{ job: 'word-count', name: 'kept', id: 'i1', standing: 'complete', createdAtMs: NOW, incarnation: 'inc', epoch: 7, decisionId: 'd7' },
  ...{ fingerprint: 'f', maxParallelism: 128, manifest: { at: 'row', manifest: at(7) } },
};
const stopped = jobRowOf({ leaseExpiresAtMs: 0, desired: 'stopped' });

interface Surroundings {
  readonly row?: JobRow;
  readonly answer?: string;
  readonly table?: string;
  /** What the row says so long after a coordinator has taken the job. */
  readonly after?: (taken: JobRow, elapsedMs: number) => JobRow;
}

const startedFrom = [{ id: 'once', savepoint: 'kept', incarnation: 'inc', epoch: 7, atMs: NOW }];
const begun = { incarnation: 'next', lastCompleted: { epoch: 7, decisionId: 'n7' }, startedFrom };
const begunAfter = (taken: JobRow): JobRow => ({ ...taken, ...begun });

/** Answers what the deployment was asked for, and what was said. */
async function run(call: readonly string[], { row = stopped, answer = 'yes', table = 'onceflow', after = begunAfter }: Surroundings = {}) {
  const asked: (StartAt | undefined)[] = [];
  const said: string[] = [];
  let elapsedMs = 0;
  const taken = { ...row, generation: 7, leaseExpiresAtMs: NOW + 9_000 };
  const result = await runCommand(['start', ...call], {
    config: { table },
    epochs: {
      readJob: async () => (asked.length === 0 ? row : after(taken, elapsedMs)),
      readSavepoint: async (_job: string, name: string) => (name === 'kept' ? savepoint : undefined),
      listSavepoints: async () => [savepoint],
      readEpoch: async (_job: string, _incarnation: string, epoch: number) => ({
        epoch,
        decisionId: `d${epoch}`,
        manifest: { at: 'row', manifest: at(epoch) },
      }),
      listEpochs: async (_job: string, _incarnation: string, behind: number) =>
        [7, 8, 9].filter((epoch) => epoch > behind).map((epoch) => ({ epoch, manifest: { at: 'row', manifest: at(epoch) } })),
    },
    clock: {
      now: () => NOW,
      elapsedMs: () => elapsedMs,
      sleep: async (ms: number) => {
        elapsedMs += ms;
      },
    },
    random: { id: () => 'once' },
    startDeployed: async (startAt?: StartAt) => {
      asked.push(startAt);
      return 'f';
    },
    ask: async () => answer,
    say: (line: string) => said.push(line),
  });
  return { result, asked, said: said.join('\n') };
}

it('says what is read and written again, with topic and offsets, and starts when that is agreed', async () => {
  const { asked, said, result } = await run(['--from', 'kept']);
  expect(said).toContain(
    [
      'behind savepoint kept, epoch 7, 2 epochs of output were committed, and a start from there writes it again:',
      '  input read again: topic lines, partition 0, offsets 700 to 899',
      '  output that stays, and comes again: topic counts, partition 2, offsets 80 to 94',
    ].join('\n'),
  );
  expect(asked).toEqual([{ at: { savepoint: 'kept' }, once: 'once', drop: [], onWrittenAgain: 'allow' }]);
  expect(result).toMatchObject({ code: 0, json: { outcome: 'started' } });
});

it('starts nothing when a person says no, or when nobody is there and --yes is not given', async () => {
  expect(await run(['--from', 'kept'], { answer: 'no' })).toMatchObject({ asked: [], result: { json: { outcome: 'not-started' } } });
  await expect(run(['--from', 'kept'], { answer: 'nobody' })).rejects.toThrow(/^nobody is there to be asked .* give --yes/);
  expect((await run(['--from-epoch', '8', '--yes', '--drop', 'a, b'], { answer: 'nobody' })).asked).toEqual([
    { at: { epoch: 8 }, once: 'once', drop: ['a', 'b'], onWrittenAgain: 'allow' },
  ]);
});

it('is not said to have started before it has: its coordinator commits and ends first what the job leaves, and may refuse it', async () => {
  const later = (taken: JobRow, elapsedMs: number) => (elapsedMs < 20_000 ? taken : begunAfter(taken));
  expect((await run(['--from', 'kept'], { after: later })).result).toMatchObject({
    json: { outcome: 'started', lastCompleted: 7 },
    text: expect.stringContaining('goes on from epoch 7'),
  });
  const failure = 'savepoint kept, epoch 7 of job word-count is not there any more';
  const refused = (taken: JobRow, elapsedMs: number) => (elapsedMs < 20_000 ? taken : { ...taken, leaseExpiresAtMs: 0, failure });
  expect((await run(['--from', 'kept'], { after: refused })).result).toMatchObject({ code: 4, json: { outcome: 'failed', failure } });
});

it('does not ask where nothing is written again', async () => {
  const row = { ...stopped, lastCompleted: { epoch: 7, decisionId: 'd7' }, lastCommitted: 7 };
  const { asked, said } = await run(['--from', 'kept'], { row, answer: 'nobody' });
  expect(asked).toHaveLength(1);
  expect(said).not.toContain('again');
});

it('on another cluster asks always: nobody can tell what is read twice and what never', async () => {
  const row = { ...stopped, lastCompleted: { epoch: 7, decisionId: 'd7' }, lastCommitted: 7 };
  const sourceOffsets = 'timestamp:2026-01-31T12:00:00Z';
  const call = ['--from', 'kept', '--source-offsets', sourceOffsets];
  await expect(run(call, { row, answer: 'nobody' })).rejects.toThrow(/nobody is there to be asked .* give --yes/);
  const { asked, said } = await run(call, { row });
  expect(asked).toEqual([{ at: { savepoint: 'kept' }, once: 'once', drop: [], sourceOffsets, onWrittenAgain: 'allow' }]);
  expect(said).toContain(
    [
      `savepoint kept, epoch 7 is gone on from with its state, and its sources at ${sourceOffsets} of the topics that the brokers have now, not at its own offsets: read (topic lines)`,
      '  read a second time, and counted twice: records from there on that savepoint kept, epoch 7 has in its state already',
      '  never read: records before there that it has not',
    ].join('\n'),
  );
  // The output of the epochs behind it is there all the same; their input is not in these offsets.
  const behind = await run(call);
  expect(behind.said).toContain('output that stays, and comes again: topic counts, partition 2, offsets 80 to 94');
  expect(behind.said).not.toContain('input read again');
});

it.each<[string, string[], object, RegExp]>([
  ['both', ['--from', 'kept', '--from-epoch', '8'], {}, /start takes --from or --from-epoch, not both/],
  [
    'a savepoint that is not there, such as another job has',
    ['--from', 'theirs'],
    {},
    /job word-count has no savepoint theirs: it has kept/,
  ],
  [
    'an epoch that is not retained',
    ['--from-epoch', '2'],
    {},
    /cannot start from epoch 2, which is not retained: the retained ones are 7 to 8/,
  ],
  ['something to drop without a savepoint', ['--drop', 'a'], {}, /--drop is for a start --from a savepoint/],
  [
    'offsets without a savepoint',
    ['--source-offsets', 'latest'],
    {},
    /--source-offsets is for a start --from .* ONCEFLOW_STARTING_OFFSETS/,
  ],
  ['offsets that are none', ['--from', 'kept', '--source-offsets', 'noon'], {}, /--source-offsets is "noon": it must be earliest, latest/],
  ['a job that runs', ['--from', 'kept', '--yes'], { row: jobRowOf() }, /job word-count runs, and nothing was changed: stop it first/],
  ['a job in a file', ['--from', 'kept'], { table: 'file:///p/e.sqlite' }, /no deployment has it: run it with ONCEFLOW_START_FROM=kept/],
])('refuses %s', async (_what, call, around, message) => {
  await expect(run(call, around)).rejects.toThrow(message);
});
