import { describe, expect, it } from 'vitest';
import { parallelismOf } from '../draw.ts';
import type { Call } from '../kernel/faults.ts';
import type { World } from '../world.ts';
import { at, ends, failedAttempts, fourEpochs, jobNamed, plain, resolutions, story } from './story.ts';

/** The commit of epoch 2: its transaction has the id with 0. */
const commitOf2 = (nth = 1) => at('commit', { about: /-write-0-0 /, nth });
const idIn = (call: Call) => call.about.split(' ')[0] ?? '';
/** What a zombie's InitProducerId does: aborts what is open, and the next one gives a new epoch. */
const fence = (world: World, id: string) => world.broker.initProducerId(id, 25_000);
const fencedAfter = (delayMs: number) => (world: World, call: Call) =>
  void world.scheduler.after(delayMs, undefined, () => fence(world, idIn(call)));
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

  it('after its commit is known by its marker, and nothing is sent', async () => {
    const told = await story([{ at: commitOf2(), also: fencedAfter(14), fault: { fault: 'lose', what: 'answer' } }], {
      markerDelayMs: [1, 4],
    });
    expect(resolutions(told)).toEqual(['committed']);
    expect(told.history.join('\n')).not.toMatch(/offsetFetch stable/);
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
    const told = await story([fenced, { at: at('offsetFetch stable'), fault: { fault: 'crash', when: 'before' } }]);
    expect(resolutions(told)).toContain('republished');
  });

  it('by a process that dies after it has sent is done again, and the half-sent output is aborted', async () => {
    const told = await story([fenced, { at: at('commit', { about: /-write-0-0 /, nth: 2 }), fault: { fault: 'crash', when: 'before' } }]);
    expect(resolutions(told)).toContain('republished');
  });

  it('by a process that dies after it has committed is known by the marker', async () => {
    const told = await story([fenced, { at: at('commit', { about: /-write-0-0 /, nth: 2 }), fault: { fault: 'crash', when: 'after' } }]);
    expect(resolutions(told).at(-1)).toBe('committed');
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

  it('that reads an older marker from a coordinator that failed over reads it again after fencing', async () => {
    const commitOf3 = at('commit', { about: /-write-0-1 /, nth: 2 });
    let isLost = false;
    const told = await story(
      [
        {
          at: commitOf3,
          also: (world, call) => {
            isLost = true;
            fencedAfter(14)(world, call);
          },
          fault: { fault: 'lose', what: 'answer' },
        },
        { at: (call) => isLost && call.api === 'offsetFetch', fault: { fault: 'stale' } },
      ],
      { markerDelayMs: [1, 4] },
    );
    expect(resolutions(told)).toEqual(['committed']);
    expect(told.history.join('\n')).toMatch(/offsetFetch stable/);
  });

  it('stops the job when the markers of the id are gone, and says what to look at', async () => {
    const told = await story(
      [
        {
          at: at('commit', { about: /-write-0-1 /, nth: 2 }),
          also: (world, call) => {
            world.broker.forgetGroup(idIn(call));
            fencedAfter(0)(world, call);
          },
          fault: { fault: 'slow', byMs: 50 },
        },
      ],
      { mayFail: /the commit markers of transaction .* are gone/ },
    );
    expect(ends(told)).toEqual(['failed']);
    expect(told.ends[0]?.message).toMatch(/commit offset 3 .* commit offset 2/);
  });

  it('of a coordinator that was superseded meanwhile ends it as superseded, whatever the resolver found', async () => {
    const told = await story(
      [
        {
          at: at('commit', { about: /-write-0-1 /, nth: 2 }),
          also: (world, call) => {
            world.broker.forgetGroup(idIn(call));
            fencedAfter(0)(world, call);
          },
          fault: { fault: 'slow', byMs: 50 },
        },
        {
          at: at('invoke resolve'),
          also: (world) => void world.scheduler.after(0, undefined, () => world.startCoordinator()),
          fault: { fault: 'slow', byMs: 1_000 },
        },
      ],
      { mayFail: /the commit markers of transaction .* are gone/ },
    );
    expect(told.ends.map(({ end }) => end)).toEqual(['failed', 'superseded']);
    expect(told.ends[1]?.message).toMatch(/generation 2 of coordinator#2 has taken over/);
  });

  it('stops the job when the epoch is older than half the retention of markers', async () => {
    const told = await story(
      [{ at: at('commit', { about: /-write-0-1 / }), also: fencedAfter(0), fault: { fault: 'outage', forMs: 45_000 } }],
      {
        markerRetentionMinutes: 1,
        mayFail: /more than half of the broker's offsets.retention.minutes/,
      },
    );
    expect(ends(told)).toContain('failed');
  });
});

describe('a broker that answers OK and forgets the markers', () => {
  const forgetting = (where?: 'partitions' | 'group') => (world: World, call: Call) => world.broker.forgetMarkersOf(idIn(call), where);

  it('of a decided epoch does not lose it: its records are ended where they are, and not sent again', async () => {
    const told = await story([{ at: commitOf2(), also: forgetting() }]);
    expect(resolutions(told)).toEqual(['committed']);
  });

  it('in the partitions alone, or in the group alone, does not lose it', async () => {
    expect(resolutions(await story([{ at: commitOf2(), also: forgetting('partitions') }]))).toEqual(['committed']);
    expect(resolutions(await story([{ at: commitOf2(), also: forgetting('group') }]))).toEqual(['committed']);
  });

  it('does not lose it when the coordinator dies meanwhile', async () => {
    const told = await story([
      { at: commitOf2(), also: forgetting() },
      { at: at('invoke resolve'), fault: { fault: 'crash', when: 'before' } },
    ]);
    expect(resolutions(told)).toEqual(['committed']);
  });

  it('does not lose it when an attempt that was forgotten wakes up and aborts it', async () => {
    const told = await story([
      {
        at: commitOf2(),
        also: (world, call) => {
          forgetting()(world, call);
          const id = idIn(call);
          void world.scheduler.after(20, undefined, () => {
            const who = { transactionalId: id, ...world.broker.initProducerId(id, 25_000) };
            world.broker.addPartitions(who, [{ topic: 'output', partition: 0 }]);
            world.broker.endTxn(who, false);
          });
        },
      },
    ]);
    expect(resolutions(told).at(-1)).toBe('republished');
  });

  it('of an attempt that failed shows its records to nobody: they are aborted before the next attempt', async () => {
    const told = await story([
      { at: at('produce', { about: /-write-0-0 / }), fault: { fault: 'lose', what: 'answer' } },
      { at: at('abort', { about: /-write-0-0 / }), also: forgetting() },
    ]);
    const failures = told.observed.flatMap((event) => (event.event === 'attempt-failed' ? [event.message] : []));
    expect(failures.at(-1)).toMatch(/the broker had left records of an earlier attempt open in topic output, partitions 0/);
  });
});
