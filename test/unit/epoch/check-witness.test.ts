import { expect, it } from 'vitest';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { checkWitness } from '../../../lib/epoch/start/check-witness.ts';
import { readWitness, witnessOf } from '../../../lib/epoch/start/witness.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';

const settings = {
  job: 'job',
  commitOffsets: true,
  onMissingState: 'stop',
  groupId: 'group',
  plan: { stages: [{ kind: 'source', id: 'read', topic: 'lines' }] },
};

/** Checks a row that knows of `epoch` where the partitions of the group carry these texts. */
function check(
  epoch: number | undefined,
  metadata: readonly (string | undefined)[],
  change: Partial<JobSettings> = {},
  readAgain: Partial<JobRow> = {},
): Promise<void> {
  const kafka = {
    partitionCount: async () => metadata.length,
    groupOffsets: async () => metadata.map((text) => (text === undefined ? undefined : { offset: 4, metadata: text })),
  };
  const row = { job: 'job', incarnation: 'i1', generation: 2, lastCompleted: epoch === undefined ? undefined : { epoch, decisionId: 'd' } };
  const epochs = { readJob: async () => ({ ...row, ...readAgain }) };
  return checkWitness({ kafka, epochs } as unknown as CoordinatorDeps, { ...settings, ...change } as JobSettings, row as JobRow);
}
const of = (epoch: number, incarnation = 'i1', job = 'job') => witnessOf({ job, incarnation, epoch });

it('what an epoch leaves with its offsets is read back, and nothing in what others leave there', () => {
  const witness = { job: 'word.count-2', incarnation: 'a1b2', epoch: 12 };
  expect(readWitness(witnessOf(witness))).toEqual(witness);
  expect(readWitness('onceflow incarnation a1b2 epoch 12')).toEqual({ ...witness, job: undefined });
  for (const text of [
    '',
    'onceflow',
    'onceflow job incarnation a epoch 1',
    'onceflow incarnation a epoch x',
    'x onceflow incarnation a epoch 1',
  ])
    expect(readWitness(text)).toBeUndefined();
});

it('a row that is behind what was committed is refused, with both epochs', async () => {
  await expect(check(7, [of(7), of(9)])).rejects.toThrow(/epoch 9 of job job \(incarnation i1\) was committed, and .* knows of epoch 7/);
  await expect(check(undefined, [of(0)])).rejects.toThrow(/knows of none/);
});

it('a row that is as far, another incarnation, a new group and one that others set are no reason to refuse', async () => {
  await check(7, [of(7), undefined, of(6)]);
  await check(7, [of(9, 'i0'), 'reset by hand', '', of(9, 'i1', 'another-job')]);
  await check(undefined, [undefined]);
  await check(undefined, []);
});

it('a row that was read while the job went on is read again, and so is one of a job that was made anew meanwhile', async () => {
  await check(7, [of(9)], {}, { lastCompleted: { epoch: 9, decisionId: 'e' } });
  await expect(check(7, [of(9)], {}, { lastCompleted: { epoch: 8, decisionId: 'e' } })).rejects.toThrow(/epoch 9 .* knows of epoch 8/);
  await check(7, [of(9)], {}, { incarnation: 'i2' });
});

it('a row without an epoch is refused where the job has run, whatever wrote so, with the way back', async () => {
  for (const left of [of(5, 'i0'), 'onceflow incarnation i0 epoch 5'])
    await expect(check(undefined, [undefined, left])).rejects.toThrow(
      /group group says that job job has run \(incarnation i0, epoch 5 was committed\), .* ONCEFLOW_ADOPT_TABLE .* ONCEFLOW_ON_MISSING_STATE=start-anew/,
    );
});

it('a row without an epoch starts anew on a word, after another job, and where it has got an epoch meanwhile', async () => {
  await check(undefined, [of(5, 'i0')], { onMissingState: 'start-anew' });
  await check(undefined, [of(5, 'i0', 'another-job')]);
  await check(undefined, [of(5, 'i0')], {}, { lastCompleted: { epoch: 0, decisionId: 'd' } });
  await check(undefined, [of(5, 'i0')], {}, { incarnation: 'i2' });
});

it('the group is not asked where offsets are not committed to it', async () => {
  await check(7, [of(9)], { commitOffsets: false });
});

it('a group that may not be read is no witness; one that does not answer is asked again', async () => {
  const asks = (retriable: boolean) =>
    checkWitness(
      { kafka: { partitionCount: () => Promise.reject(new KafkaProblem('NO_ANSWER', 'away', retriable)) } } as unknown as CoordinatorDeps,
      settings as unknown as JobSettings,
      { job: 'job', incarnation: 'i1', generation: 2 } as JobRow,
    );
  await asks(false);
  await expect(asks(true)).rejects.toThrow('away');
});
