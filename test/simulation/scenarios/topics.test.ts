import { describe, expect, it } from 'vitest';
import { INPUT } from '../sim-job.ts';
import type { World } from '../world.ts';
import { at, ends, failedAttempts, plain, story } from './story.ts';

const input = [plain(0, 0, 'ant #0'), plain(0, 1, 'bee #1'), plain(3_000, 0, 'cow #2')];

describe('a source topic that grows while the job runs', () => {
  it('is read with its new partitions, from their beginning, and no attempt fails', async () => {
    const grows = (world: World) => world.broker.catalog.grow(INPUT);
    const told = await story([{ at: at('decide', { nth: 2 }), also: grows }], { input: [...input, plain(4_000, 2, 'bat #3')] });
    expect(ends(told)).toEqual(['stopped']);
    expect(failedAttempts(told)).toBe(0);
  });
});

describe('a partition that came while nobody read, and lost its first records to retention', () => {
  const grows = (world: World) => {
    world.broker.catalog.grow(INPUT);
    world.append(plain(0, 2, 'bat #3', 'cat #4'));
    world.broker.partition(INPUT, 2)?.deleteRecords(1);
  };
  const growing = { at: at('decide', { nth: 2 }), also: grows };

  it('stops the job, which says what is gone', async () => {
    const told = await story([growing], {
      input,
      mayFail: /partition 2: the broker no longer has offset 0, its log starts at 1: 1 offsets/,
    });
    expect(ends(told)).toEqual(['failed']);
  });

  it('is read from where it starts with ONCEFLOW_ON_DATA_LOSS=earliest, which is said once', async () => {
    const told = await story([growing], { input, settings: { onDataLoss: 'earliest' } });
    const lost = told.observed.filter(({ event }) => event === 'data-loss');
    expect(lost).toEqual([expect.objectContaining({ topic: INPUT, partition: 2, from: 0, to: 1, count: 1 })]);
    expect(ends(told)).toEqual(['stopped']);
  });
});

describe('a source topic that is made anew, and has more in it by then than the job had read', () => {
  const refill = ['cat #10', 'cat #11', 'cat #12', 'cat #13'];
  const makesAnew = (world: World) => {
    world.broker.catalog.delete(INPUT);
    world.broker.catalog.create(INPUT, 2);
    for (const partition of [0, 1]) world.append(plain(0, partition, ...refill));
  };
  const said = {
    topic: INPUT,
    to: 0,
    count: 0,
    ids: { read: expect.stringMatching(/^made-/), found: expect.stringMatching(/^made-/) },
  };

  it.each([
    ['between two epochs', at('decide', { nth: 3 })],
    ['while it is read', at('fetch', { nth: 2 })],
    ['before the job goes on', at('offsets', { nth: 5 })],
  ])('stops the job, %s, which says so with both ids', async (_when, moment) => {
    const told = await story([{ at: moment, also: makesAnew }], {
      input,
      mayFail:
        /partition \d: the job has read up to offset \d of the topic with id made-\d+, and the topic has id made-\d+ now: it was made anew.* The job stops and skips nothing/,
    });
    expect(ends(told)).toEqual(['failed']);
  });

  it('while its starting offsets are asked for is read from those of the one that is there, and nothing is said to be lost', async () => {
    const told = await story([{ at: at('offsets', { about: /latest/ }), also: makesAnew }], { input, startingOffsets: 'latest' });
    expect(told.observed.filter(({ event }) => event === 'data-loss')).toEqual([]);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('is read from its beginning with ONCEFLOW_ON_DATA_LOSS=earliest, which is said once for each partition', async () => {
    const told = await story([{ at: at('decide', { nth: 3 }), also: makesAnew }], { input, settings: { onDataLoss: 'earliest' } });
    const lost = told.observed.filter(({ event }) => event === 'data-loss');
    expect(lost).toHaveLength(2);
    for (const each of lost) expect(each).toMatchObject(said);
    expect(ends(told)).toEqual(['stopped']);
  });
});

describe('a source topic that is made anew with fewer partitions', () => {
  // The one that goes is empty: the checker reads what the job has read out of the topic.
  const three = { input, inputPartitions: 3 };
  const shrinks = { at: at('decide', { nth: 2 }), also: (world: World) => void world.broker.topics.get(INPUT)?.pop() };

  it('stops the job, which says so', async () => {
    const told = await story([shrinks], {
      ...three,
      mayFail: /partition 2: .* the topic has only 2 .* made anew with fewer. The job stops/,
    });
    expect(ends(told)).toEqual(['failed']);
  });

  it('is read as it is with ONCEFLOW_ON_DATA_LOSS=earliest, which is said once', async () => {
    const told = await story([shrinks], { ...three, settings: { onDataLoss: 'earliest' } });
    const lost = told.observed.filter(({ event }) => event === 'data-loss');
    expect(lost).toEqual([expect.objectContaining({ topic: INPUT, partition: 2, from: 0, partitions: 2 })]);
    expect(ends(told)).toEqual(['stopped']);
  });
});

describe('the topic of a sink that is deleted between two epochs', () => {
  const deletes = () => ({ at: at('fetch', { nth: 2 }), also: (world: World) => world.broker.catalog.delete('output') });

  it('stops the job when no broker has known it for ONCEFLOW_REFUSAL_TIMEOUT_MS: it was asked for without end', async () => {
    const told = await story([deletes()], { input, mayFail: /UNKNOWN_TOPIC_OR_PARTITION: topic output does not exist any more/ });
    expect(ends(told)).toEqual(['failed']);
  });

  it('fails attempts and nothing else when it is made anew before', async () => {
    const makesAnew = (world: World) => world.broker.catalog.create('output', 1);
    const told = await story([deletes(), { at: at('addPartitions', { nth: 60 }), also: makesAnew }], { input });
    expect(ends(told)).toEqual(['stopped']);
    expect(failedAttempts(told)).toBeGreaterThan(0);
  });
});
