import { describe, expect, it } from 'vitest';
import type { Call } from '../kernel/faults.ts';
import { encodeBatch } from '../models/wire.ts';
import { parallelismOf } from '../parallelism.ts';
import type { World } from '../world.ts';
import type { InputBatch, Outcome } from '../world-options.ts';
import { at, ends, failedAttempts, fourEpochs, jobNamed, plain, type Rule, resolutions, story } from './story.ts';

/** The commit of epoch 2: its transaction has the id with 0. */
const commitOf2 = (nth = 1) => at('commit', { about: /-write-0-0 /, nth });
const idIn = (call: Call) => call.about.split(' ')[0] ?? '';
/** What a zombie's InitProducerId does: aborts what is open, and the next one gives a new epoch. */
const fence = (world: World, id: string) => world.broker.transactions.initProducerId(id, 25_000);
const fencedAfter = (delayMs: number) => (world: World, call: Call) =>
  void world.scheduler.after(delayMs, undefined, () => fence(world, idIn(call)));
/** The first request of this kind that is made for a resolver. */
function afterResolveBegan(api: string): (call: Call) => boolean {
  let began = false;
  return (call) => {
    began ||= call.api === 'invoke resolve';
    return began && call.api === api && call.caller.role === 'sink';
  };
}
const two = () => parallelismOf(jobNamed('word-count'), { source: 1, operator: 2, sink: 2 });

describe('a commit', () => {
  it('whose answer is lost is sent again, and answers OK', async () => {
    const told = await story([{ at: commitOf2(), fault: { fault: 'lose', what: 'answer' } }]);
    expect(resolutions(told)).toEqual([]);
  });

  it('whose request is lost is sent again', async () => {
    const told = await story([{ at: commitOf2(), fault: { fault: 'lose', what: 'request' } }]);
    expect(resolutions(told)).toEqual([]);
  });

  it('that arrives again after the id was used by later epochs is refused', async () => {
    const told = await story([{ at: commitOf2(), fault: { fault: 'late', byMs: 5_000 } }]);
    expect(told.history.join('\n')).toMatch(/carries out late: sink-write#1 commit/);
  });

  it('that meets markers still being written waits for them', async () => {
    const told = await story([{ at: commitOf2(), fault: { fault: 'lose', what: 'answer' } }], { markerDelayMs: [100, 400] });
    expect(resolutions(told)).toEqual([]);
  });

  it('is sent by the next coordinator when this one crashed after its decision', async () => {
    const told = await story([{ at: at('invoke commit', { about: /epoch 2/ }), fault: { fault: 'crash', when: 'before' } }]);
    expect(told.observed).toContainEqual(expect.objectContaining({ event: 'recovered', epoch: 2, committed: 1, republished: 0 }));
  });

  it('that was carried out and not recorded is carried out once', async () => {
    const told = await story([{ at: at('recordCommitted', { nth: 2 }), fault: { fault: 'crash', when: 'before' } }]);
    expect(resolutions(told)).toEqual([]);
  });

  it('of one subtask stands when the sink dies before that of the other', async () => {
    await story([{ at: at('commit', { about: /-write-1-0 / }), fault: { fault: 'crash', when: 'before' } }], { parallelism: two });
  });

  it('is repeated when everything loses its power in the middle of it', async () => {
    await story([{ at: at('commit', { about: /-write-1-0 / }), fault: { fault: 'power-cut' } }], { parallelism: two });
  });

  it('that drags on is not disturbed by the failure of the epochs behind it', async () => {
    const told = await story(
      [
        { at: at('invoke commit', { about: /epoch 2/ }), fault: { fault: 'slow', byMs: 4_000 } },
        { at: at('invoke process', { about: /epoch 3/ }), fault: { fault: 'lose', what: 'request' } },
        { at: at('invoke read', { about: /epoch 4/ }), fault: { fault: 'slow', byMs: 4_000 } },
      ],
      {
        input: [plain(0, 0, 'ant #0'), plain(1_000, 0, 'bee #1'), plain(1_300, 0, 'cow #2'), plain(1_500, 1, 'ant #3')],
        settings: { checkpointIntervalMs: 100, idlePollMaxMs: 100 },
      },
    );
    expect(failedAttempts(told)).toBe(1);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('without an answer from the function is asked for again', async () => {
    const told = await story([{ at: at('invoke commit', { about: /epoch 2/ }), fault: { fault: 'lose', what: 'answer' } }]);
    expect(failedAttempts(told)).toBe(0);
  });
});

describe('a transaction that was fenced or timed out', () => {
  it('before its commit is published again, once', async () => {
    const told = await story([{ at: commitOf2(), also: fencedAfter(0), fault: { fault: 'slow', byMs: 50 } }]);
    expect(resolutions(told)).toEqual(['republished']);
  });

  it('after its commit is known by the log, nobody is fenced, and nothing is sent', async () => {
    const told = await story([{ at: commitOf2(), also: fencedAfter(14), fault: { fault: 'lose', what: 'answer' } }], {
      markerDelayMs: [1, 4],
    });
    expect(resolutions(told)).toEqual([]);
    expect(told.history.join('\n')).not.toMatch(/invoke resolve/);
  });

  it('by a zombie sink attempt costs a republish and nothing else', async () => {
    const told = await story([
      { at: at('initProducerId', { role: 'sink', about: /-write-0-0$/ }), fault: { fault: 'freeze', when: 'before', forMs: 6_000 } },
      { at: at('invoke commit', { about: /epoch 2/ }), fault: { fault: 'slow', byMs: 1_500 } },
    ]);
    expect(resolutions(told)).toEqual(['republished']);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('because the function service was away for longer than the transaction timeout is published again', async () => {
    const told = await story([{ at: at('invoke commit', { about: /epoch 2/ }), fault: { fault: 'outage', forMs: 45_000 } }]);
    expect(resolutions(told)).toContain('republished');
  });

  it('because the broker could not be reached for longer than its timeout is published again', async () => {
    const told = await story([{ at: commitOf2(), fault: { fault: 'outage', forMs: 50_000 } }]);
    expect(resolutions(told).length).toBeGreaterThan(2);
    expect(resolutions(told).at(-1)).toMatch(/^(committed|republished)$/);
  });

  it('once committed by a lost answer stays committed when the broker is asked later', async () => {
    const told = await story([
      { at: commitOf2(), fault: { fault: 'crash', when: 'after' } },
      { at: at('invoke commit', { about: /epoch 2/, nth: 2 }), fault: { fault: 'outage', forMs: 45_000 } },
    ]);
    expect(resolutions(told)).not.toContain('republished');
  });

  it('with an exhausted producer id goes on under another', async () => {
    const told = await story([{ at: commitOf2(), also: fencedAfter(0), fault: { fault: 'slow', byMs: 50 } }], {
      maxProducerEpoch: 3,
      input: [...fourEpochs, ...Array.from({ length: 6 }, (_, index) => plain(4_000 + index * 800, 0, `cat #${10 + index}`))],
    });
    expect(resolutions(told)).toEqual(['republished']);
  });
});

describe('resolving', () => {
  const fenced = { at: commitOf2(), also: fencedAfter(0), fault: { fault: 'slow', byMs: 50 } } as const;

  it('by a process that dies after it has fenced is done again', async () => {
    const told = await story([fenced, { at: afterResolveBegan('addPartitions'), fault: { fault: 'crash', when: 'before' } }]);
    expect(resolutions(told)).toContain('republished');
  });

  it('by a process that dies after it has sent is done again, and the half-sent output is aborted', async () => {
    const told = await story([fenced, { at: at('commit', { about: /-write-0-0 /, nth: 2 }), fault: { fault: 'crash', when: 'before' } }]);
    expect(resolutions(told)).toContain('republished');
  });

  it('that was committed by a process that died behind it is known to be by the log', async () => {
    const told = await story([fenced, { at: at('commit', { about: /-write-0-0 /, nth: 2 }), fault: { fault: 'crash', when: 'after' } }]);
    expect(resolutions(told)).toEqual(['republished']);
  });

  it('that was sent again and not recorded is aborted by the next resolver, and sent again by it', async () => {
    const told = await story([fenced, { at: at('recordSentAgain'), fault: { fault: 'crash', when: 'before' } }]);
    expect(resolutions(told).at(-1)).toBe('republished');
  });

  it('that was recorded by a coordinator that died is committed by the next one, from the record', async () => {
    const told = await story([fenced, { at: at('recordSentAgain'), fault: { fault: 'crash', when: 'after' } }]);
    expect(resolutions(told)).toEqual([]);
    expect(told.observed).toContainEqual(expect.objectContaining({ event: 'recovered', epoch: 2, republished: 0 }));
  });

  /** The first record is sent, gets no answer, is sent again and written; a second one takes its place; then the first arrives. */
  const lateRecord: readonly Rule[] = [
    fenced,
    { at: at('recordSentAgain'), fault: { fault: 'late', byMs: 2_560 } },
    { at: at('commit', { about: /-write-0-0 /, nth: 2 }), also: fencedAfter(0), fault: { fault: 'slow', byMs: 50 } },
  ];
  const records = (told: Outcome) =>
    told.history.flatMap(
      (line) => /(carries out late|recordSentAgain \S+ → written|raiseGeneration job)/.exec(line)?.[1]?.split(' ')[0] ?? [],
    );

  it('whose record arrives late, behind the record of a later one, changes nothing', async () => {
    const told = await story(lateRecord);
    expect(resolutions(told)).toEqual(['republished', 'republished']);
    expect(records(told)).toEqual(['recordSentAgain', 'recordSentAgain', 'carries']);
  });

  it('whose record arrives late, when a later one is committed, is not what the next coordinator judges by', async () => {
    const told = await story([
      ...lateRecord,
      { at: at('invoke commit', { about: /epoch 2$/, nth: 3 }), fault: { fault: 'crash', when: 'after' } },
    ]);
    expect(records(told)).toEqual(['recordSentAgain', 'recordSentAgain', 'carries', 'raiseGeneration']);
    expect(resolutions(told)).toEqual(['republished', 'republished']);
    expect(told.observed).toContainEqual(expect.objectContaining({ event: 'recovered', epoch: 2, republished: 0 }));
  });

  it('by a coordinator that was succeeded before it could record what it sent again aborts that', async () => {
    const told = await story([fenced, { at: at('recordSentAgain'), fault: { fault: 'depose', forMs: 3_000 } }]);
    expect(told.ends.map(({ end }) => end)).toContain('superseded');
  });

  it('twice at once publishes once', async () => {
    const told = await story([fenced, { at: at('invoke resolve'), fault: { fault: 'twice', byMs: 5 } }]);
    expect(told.epochs).toBe(5);
  });

  it('for which no answer came is asked for again', async () => {
    const told = await story([fenced, { at: at('invoke resolve'), fault: { fault: 'lose', what: 'answer' } }]);
    expect(resolutions(told).at(-1)).toMatch(/committed|republished/);
  });

  it('twice, the second time after later epochs have used the id, changes nothing', async () => {
    const input = Array.from({ length: 20 }, (_, index) => plain(index * 250, index % 2, `ant #${index}`));
    const told = await story([fenced, { at: at('invoke resolve'), fault: { fault: 'twice', byMs: 1_200 } }], {
      input,
      settings: { checkpointIntervalMs: 200 },
    });
    expect(resolutions(told)[0]).toBe('republished');
  });

  const takenByRetention = (world: World) => {
    const [partition] = world.broker.topics.get('output') ?? [];
    // Another producer writes on, and retention takes all that was before.
    world.broker.appendPlain('output', 0, ['later']);
    partition?.deleteRecords(partition.end - 1);
  };

  it('stops the job when the log does not reach back to the epoch any more, and says what to look at', async () => {
    const told = await story(
      [
        {
          at: at('commit', { about: /-write-0-1 /, nth: 2 }),
          also: (world, call) => {
            fencedAfter(0)(world, call);
            void world.scheduler.after(60, undefined, () => takenByRetention(world));
          },
          fault: { fault: 'slow', byMs: 100 },
        },
      ],
      { mayFail: /cannot be told any more: topic output, partition 0, offsets/ },
    );
    expect(ends(told)).toEqual(['failed']);
  });

  it('goes on with what ONCEFLOW_ON_MISSING_EVIDENCE says the output counts as: lost is sent again, committed is not', async () => {
    const taken = (when: 'before' | 'after') => ({
      at: at('commit', { about: /-write-0-1 /, nth: 2 }),
      also: (world: World, call: Call) => {
        if (when === 'before') fencedAfter(0)(world, call);
        void world.scheduler.after(60, undefined, () => takenByRetention(world));
      },
    });
    const lost = await story([{ ...taken('before'), fault: { fault: 'slow', byMs: 100 } }], { settings: { onMissingEvidence: 'lost' } });
    expect(new Set(resolutions(lost))).toEqual(new Set(['no-evidence', 'republished']));
    expect(resolutions(lost).at(-1)).toBe('republished');
    const committed = await story([{ ...taken('after'), fault: { fault: 'crash', when: 'after' } }], {
      settings: { onMissingEvidence: 'committed' },
    });
    expect(resolutions(committed).at(-1)).toBe('committed');
  });

  it('stops when the topic was deleted and nobody knows it any more', async () => {
    const deleted = {
      at: at('commit', { about: /-write-0-1 /, nth: 2 }),
      also: (world: World) => void world.broker.catalog.delete('output'),
      fault: { fault: 'lose', what: 'request' },
    } as const;
    const told = await story([deleted], { mayFail: /no broker knows its topic output any more/, faultsUntilMs: 5_000 });
    expect(ends(told)).toContain('failed');
  });

  it('stops when the topic was made anew with fewer partitions, and does not say that it is not there', async () => {
    const madeAnew = {
      at: at('invoke commit', { about: /epoch 2/ }),
      also: (world: World) => {
        world.broker.catalog.delete('output');
        world.broker.catalog.create('output', 1);
      },
    };
    const told = await story([madeAnew], { outputPartitions: 3, mayFail: /it is gone, or was made anew with fewer partitions/ });
    expect(ends(told)).toEqual(['failed']);
  });

  it('of a coordinator that was superseded meanwhile ends it as superseded, whatever the resolver found', async () => {
    const told = await story(
      [
        {
          at: at('commit', { about: /-write-0-1 /, nth: 2 }),
          also: (world, call) => {
            fencedAfter(0)(world, call);
            void world.scheduler.after(60, undefined, () => takenByRetention(world));
          },
          fault: { fault: 'slow', byMs: 100 },
        },
        {
          at: at('invoke resolve'),
          also: (world) => void world.scheduler.after(0, undefined, () => world.startCoordinator()),
          fault: { fault: 'slow', byMs: 1_000 },
        },
      ],
      { mayFail: /cannot be told any more/ },
    );
    expect(told.ends.map(({ end }) => end)).toEqual(['superseded', 'failed']);
    expect(told.ends[0]?.message).toMatch(/generation 2 of coordinator#2 has taken over/);
  });
});

describe('a broker that answers OK and forgets the end of a transaction', () => {
  const forgetting = (partitions?: readonly number[]) => (world: World, call: Call) =>
    world.broker.transactions.forgetEndsOf(idIn(call), partitions);
  const three = { outputPartitions: 3 };
  /** Lines whose words go to each of three partitions, in each epoch. */
  const wide = ['ant bee cow auk bat cat #0', 'ant bee cow auk bat cat #1', 'ant bee cow auk bat cat #2', 'ant bee cow auk bat cat #3'].map(
    (line, index) => plain(index * 1_000, 0, line),
  );

  it.each([[[0]], [[1]], [[2]], [[0, 1]], [[0, 2]], [[1, 2]], [[0, 1, 2]]])(
    'in partitions %j of three does not lose or double a decided epoch',
    async (forgotten) => {
      const told = await story([{ at: commitOf2(), also: forgetting(forgotten) }], { ...three, input: wide });
      expect(resolutions(told)).toEqual(['unsettled', 'republished']);
    },
  );

  it('of an epoch that was sent again does not double it: the record says which one counts', async () => {
    const told = await story([
      { at: commitOf2(), also: fencedAfter(0), fault: { fault: 'slow', byMs: 50 } },
      { at: at('commit', { about: /-write-0-0 /, nth: 2 }), also: forgetting() },
    ]);
    expect(resolutions(told)).toEqual(['republished', 'unsettled', 'republished']);
  });

  it.each(['initProducerId', 'look', 'addPartitions', 'abort', 'produce', 'commit'])(
    'does not lose or double it when its resolver dies at its %s, nor when that comes twice or late',
    async (api) => {
      for (const fault of [
        { fault: 'crash', when: 'before' },
        { fault: 'crash', when: 'after' },
        { fault: 'freeze', when: 'before', forMs: 9_000 },
        { fault: 'late', byMs: 3_000 },
        { fault: 'lose', what: 'answer' },
      ] as const) {
        const told = await story(
          [
            { at: commitOf2(), also: forgetting([0, 2]) },
            { at: afterResolveBegan(api), fault },
            { at: at('invoke resolve'), fault: { fault: 'twice', byMs: 700 } },
          ],
          { ...three, input: wide },
        );
        expect(resolutions(told)).toContain('republished');
      }
    },
  );

  it.each(['initProducerId', 'addPartitions', 'produce'])('does not lose it to an attempt that wakes up at its %s', async (api) => {
    const told = await story(
      [
        { at: at(api, { role: 'sink', about: /-write-0-0/ }), fault: { fault: 'freeze', when: 'before', forMs: 6_500 } },
        { at: at('commit', { about: /-write-0-0 / }), also: forgetting() },
        { at: at('invoke resolve'), fault: { fault: 'slow', byMs: 1_500 } },
      ],
      { settings: { transactionTimeoutMs: 24_000 } },
    );
    expect(ends(told)).toEqual(['stopped']);
  });

  it('does not lose it to a superseded coordinator that settles: that one looks at its generation first', async () => {
    const told = await story([
      { at: commitOf2(), also: forgetting() },
      { at: at('invoke resolve'), fault: { fault: 'crash', when: 'before' } },
      { at: at('initProducerId', { role: 'coordinator' }), fault: { fault: 'depose', forMs: 4_000 } },
    ]);
    expect(ends(told)).toContain('stopped');
  });

  it('of an attempt that failed shows its records to nobody: the attempt that joins them fails, and the next is clean', async () => {
    const told = await story([
      { at: at('produce', { about: /-write-0-0 / }), fault: { fault: 'lose', what: 'answer' } },
      { at: at('abort', { about: /-write-0-0 / }), also: forgetting() },
    ]);
    const failures = told.observed.flatMap((event) => (event.event === 'attempt-failed' ? [event.message] : []));
    expect(failures.at(-1)).toMatch(/has joined records in topic output, partition 0, from offset \d+, that an earlier attempt left open/);
  });

  it('of an attempt that failed, of a subtask that has no output in the next, holds up no reader', async () => {
    // All words of epoch 2 are counted, and written, by subtask 1.
    const asked: string[] = [];
    const told = await story(
      [
        { at: at('invoke prepare', { about: /epoch 2/ }), fault: { fault: 'lose', what: 'answer' } },
        { at: at('initProducerId', { role: 'sink', about: /-write-0-0$/ }), also: (_, { about }) => void asked.push(about) },
      ],
      { parallelism: two, input: [plain(0, 0, 'ant bee #0', 'cow #1'), plain(1_000, 1, 'ant ant #2')] },
    );
    expect(asked).toHaveLength(1);
    expect(ends(told)).toEqual(['stopped']);
  });

  /** What a zombie writes under an id of the job, and what the broker then forgets to end. */
  const abandoned = (world: World, under = /-write-0-0$/) => {
    const [id = ''] = world.broker.transactions
      .all()
      .map(({ id }) => id)
      .filter((each) => under.test(each));
    const who = { transactionalId: id, ...fence(world, id) };
    const header = { producerId: BigInt(who.producerId), producerEpoch: who.producerEpoch, transactional: true, timestampMs: 0 };
    const batch = encodeBatch({ ...header, baseSequence: 0 }, ['left open']);
    world.broker.transactions.addPartitions(who, [{ topic: 'output', partition: 0 }]);
    world.broker.produce(who, world.broker.partition('output', 0)?.leader ?? -1, [{ topic: 'output', partition: 0, batch }]);
    world.broker.transactions.forgetEndsOf(id);
    expect(world.broker.transactions.endTxn(who, false)).toBe('NONE');
  };
  const endings = (told: Outcome) =>
    told.observed.map(({ event }) => event).filter((event) => ['leftovers-ended', 'committed'].includes(event));

  it('of what a zombie wrote after the last epoch holds up no reader for longer than two looks of an idle job', async () => {
    const told = await story(
      [{ at: at('recordCommitted', { nth: 2 }), also: (world) => void world.scheduler.after(1_000, undefined, () => abandoned(world)) }],
      { input: [plain(0, 0, 'ant #0'), plain(90_000, 0, 'bee #1')], ending: 'wait' },
    );
    expect(endings(told)).toEqual(['committed', 'leftovers-ended', 'committed']);
  });

  it('and what cannot be ended now, because a broker is away, keeps no epoch waiting: the next looks find it again', async () => {
    const isAway = ({ api, about, caller, atMs }: Call) =>
      api === 'initProducerId' && /-write-0-1$/.test(about) && caller.role === 'coordinator' && atMs > 20_000 && atMs < 150_000;
    const told = await story([], {
      input: [plain(0, 0, 'ant #0'), plain(100_000, 0, 'bee #1'), plain(230_000, 0, 'cow #2')],
      faultsUntilMs: 150_000,
      prepare: (world) => void world.scheduler.at(5_000, undefined, () => abandoned(world, /-write-0-1$/)),
      faults: (call) => (isAway(call) ? { fault: 'error' } : undefined),
    });
    expect(endings(told)).toEqual(['committed', 'committed', 'leftovers-ended', 'committed']);
  });

  it('in a partition without a leader does not stop what is written to the others', async () => {
    const told = await story([], {
      ...three,
      leaderless: [0, 1, 2].map((partition) => ({ atMs: 900 + partition * 700, topic: 'output', partition, forMs: 900 })),
      input: wide,
    });
    expect(ends(told)).toEqual(['stopped']);
  });
});

describe('a partition of the sink topic to which nothing is written', () => {
  it.each([0, 1])('has no leader (%i): after an attempt that failed in its sink stage the job goes on all the same', async (partition) => {
    const told = await story([{ at: at('invoke prepare', { about: /epoch 2/ }), fault: { fault: 'lose', what: 'answer' } }], {
      outputPartitions: 3,
      parallelism: two,
      input: [plain(0, 0, 'ant #0'), plain(1_000, 0, 'ant #1'), plain(2_000, 0, 'ant #2')],
      leaderless: [{ atMs: 1_000, topic: 'output', partition, forMs: 15_000 }],
    });
    expect(failedAttempts(told)).toBe(1);
  });
});

describe('output that takes longer to send than ONCEFLOW_COMMIT_TIMEOUT_MS, and less than ONCEFLOW_EPOCH_TIMEOUT_MS', () => {
  it('is sent again when it was lost, once', async () => {
    const told = await story([
      { at: at('produce', { about: /-write-0-0 / }), fault: { fault: 'slow', byMs: 3_000 }, times: 2 },
      { at: commitOf2(), also: (world, call) => void fence(world, idIn(call)) },
    ]);
    expect(resolutions(told)).toEqual(['republished']);
  });
});

describe("another producer's transaction in the sink's topic", () => {
  const stranger = (atMs: number, endsAfterMs: number, how: 'commit' | 'abort'): InputBatch => ({
    ...plain(atMs, 0, `stranger of ${atMs}`),
    topic: 'output',
    how,
    endsAfterMs,
  });

  it('that stays open before and behind an epoch does not keep it from being seen as committed', async () => {
    const strangers = Array.from({ length: 40 }, (_, index) => stranger(200 + index * 90, 6_000, index % 2 === 0 ? 'commit' : 'abort'));
    const told = await story([], { strangers });
    expect(resolutions(told)).toEqual([]);
    expect(ends(told)).toEqual(['stopped']);
  });

  it('that begins right behind an epoch whose transaction was aborted does not make it look committed', async () => {
    const told = await story([
      {
        at: commitOf2(),
        also: (world, call) => {
          world.append({ ...stranger(0, 4_000, 'commit') });
          fence(world, idIn(call));
        },
        fault: { fault: 'slow', byMs: 50 },
      },
    ]);
    expect(resolutions(told)).toContain('republished');
  });
});
