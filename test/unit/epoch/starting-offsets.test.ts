import { describe, expect, it } from 'vitest';
import { parseStartingOffsets } from '../../../lib/config/starting-offsets.ts';
import { type CoordinatorDeps, JobFailedError } from '../../../lib/epoch/coordinator/context.ts';
import { askStartingOffsets } from '../../../lib/epoch/start/ask-starting-offsets.ts';
import { resolveStart, type StartingDecision } from '../../../lib/epoch/start/starting-offsets.ts';
import type { SourceStage } from '../../../lib/plan/plan.ts';

/** A topic of three partitions. */
const starts = [5, 0, 10];
const ends = [50, 0, 30];
/** In partition 2 a transaction is open. */
const highWatermarks = [50, 0, 40];

function start(text: string, found: readonly (number | undefined)[] = []): StartingDecision {
  const point = parseStartingOffsets(text);
  if (point === undefined) throw new Error(text);
  return resolveStart(point, { starts, ends, highWatermarks, found });
}

describe('starting offsets', () => {
  it('at the ends are those of the log', () => {
    expect(start('earliest')).toEqual({ outcome: 'resolved', offsets: starts });
    expect(start('latest')).toEqual({ outcome: 'resolved', offsets: ends });
  });

  it('at a time are the first records that are not older, and the end where all are', () => {
    expect(start('timestamp:1', [7, undefined, undefined])).toEqual({ outcome: 'resolved', offsets: [7, 0, 30] });
  });

  it('of a group are refused where it has none, with the partitions and the option', () => {
    expect(start('group', [7, undefined, undefined])).toEqual({
      outcome: 'refused',
      message: 'that says nothing of partition 1, 2: give the offsets, or add group:earliest or group:latest for the rest',
    });
    expect(start('group', [7, 0, 11])).toEqual({ outcome: 'resolved', offsets: [7, 0, 11] });
    expect(start('group:earliest', [7, undefined, undefined])).toEqual({ outcome: 'resolved', offsets: [7, 0, 10] });
    expect(start('group:latest', [7, undefined, undefined])).toEqual({ outcome: 'resolved', offsets: [7, 0, 30] });
  });

  it('of a group are taken as they are: what retention has deleted since is a matter of ONCEFLOW_ON_DATA_LOSS', () => {
    expect(start('group', [1, 0, 99])).toEqual({ outcome: 'resolved', offsets: [1, 0, 99] });
  });

  it('that are named are refused when a partition is left out, is not there, or does not hold the offset', () => {
    expect(start('offsets:0=42,1=0,2=10')).toEqual({ outcome: 'resolved', offsets: [42, 0, 10] });
    expect(start('offsets:0=42,*=earliest')).toEqual({ outcome: 'resolved', offsets: [42, 0, 10] });
    expect(start('offsets:2=31,*=earliest')).toEqual({ outcome: 'resolved', offsets: [5, 0, 31] });
    expect(start('offsets:0=50,*=latest')).toEqual({ outcome: 'resolved', offsets: [50, 0, 30] });
    expect(start('offsets:0=42')).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/nothing of partition 1, 2: .*\*=earliest/),
    });
    expect(start('offsets:7=42,*=latest')).toEqual({ outcome: 'refused', message: 'the topic has no partition 7: it has 3' });
    expect(start('offsets:0=4,2=41,*=latest')).toEqual({
      outcome: 'refused',
      message: 'partition 0 holds the offsets 5 to 50, partition 2 holds the offsets 10 to 40',
    });
  });
});

describe('what is asked of Kafka for starting offsets', () => {
  /** Answers as that topic of three partitions; the group `own` has an offset in partition 0, and a record of time 9 is in partition 2. */
  const kafka = {
    partitionCount: async () => 3,
    offsets: async (_topic: string, _partitions: readonly number[], at: 'earliest' | 'latest' | 'end') =>
      ({ earliest: starts, latest: ends, end: highWatermarks })[at],
    groupOffsets: async (groupId: string) => [groupId === 'own' ? { offset: 7 } : undefined, undefined, undefined],
    offsetsAtTime: async (_topic: string, _partitions: readonly number[], timestampMs: number) => [
      undefined,
      undefined,
      timestampMs <= 9 ? 12 : undefined,
    ],
  } as unknown as CoordinatorDeps['kafka'];
  const ask = (startingOffsets: string) =>
    askStartingOffsets({ kafka }, { groupId: 'own' }, { kind: 'source', id: 'lines', topic: 'in', startingOffsets } as SourceStage);

  it.each([
    ['earliest', [5, 0, 10]],
    ['latest', [50, 0, 30]],
    ['timestamp:9', [50, 0, 12]],
    ['timestamp:10', [50, 0, 30]],
    ['group:earliest', [7, 0, 10]],
    ['group:latest', [7, 0, 30]],
    // Behind the last stable offset, before the end of the log.
    ['offsets:2=40,*=latest', [50, 0, 40]],
  ] as const)('%s begins at %j', async (startingOffsets, offsets) => {
    expect(await ask(startingOffsets)).toEqual(offsets);
  });

  it.each([
    ['group', 'at the offsets of consumer group own (group; ONCEFLOW_GROUP_ID): that says nothing of partition 1, 2'],
    ['offsets:0=42', 'at offsets:0=42: that says nothing of partition 1, 2'],
  ])('%s that says too little is refused with the source, the topic, and where it was to begin', async (startingOffsets, message) => {
    const refused = ask(startingOffsets);
    await expect(refused).rejects.toThrow(JobFailedError);
    await expect(refused).rejects.toThrow(`source lines is to start in topic in ${message}`);
  });
});
