import { describe, expect, it } from 'vitest';
import { commitEpoch } from '../../../lib/epoch/commit/commit-epoch.ts';
import { type CoordinatorDeps, JobFailedError, SupersededError } from '../../../lib/epoch/coordinator/context.ts';
import type { Held } from '../../../lib/epoch/lease/held.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import type { Committable } from '../../../lib/protocol/committable.ts';
import type { SinkRequest } from '../../../lib/protocol/requests.ts';
import { decided } from '../../support/decided.ts';

const committable = (sink: string, connector: string, token = {}): Committable => ({ sink, connector, subtask: 0, epoch: 5, token });
const staged = [{ at: 'inline', base64: 'AA==' }] as const;

interface Setting {
  readonly refusalTimeoutMs?: number;
  /** Does this coordinator still hold the job? */
  readonly isHeld?: () => boolean;
  /** What was asked, which is kept also when the commit throws. */
  readonly asked?: SinkRequest[];
  readonly isToldToEnd?: boolean;
  /** @default 'stop' */
  readonly onMissingEvidence?: 'stop' | 'committed' | 'lost';
  /** Told what doubts came to. */
  readonly tell?: (resolution: string) => void;
}

/**
 * A decided epoch of these committables is committed; `answer` is what the sinks' functions answer. What was asked and told is kept.
 * Pauses pass at once, by a clock of their own.
 */
async function commit(
  committables: readonly Committable[],
  answer: (request: SinkRequest, nth: number) => object,
  { refusalTimeoutMs, isHeld = () => true, asked = [], isToldToEnd = false, onMissingEvidence = 'stop', tell }: Setting = {},
) {
  let nowMs = 100;
  const waits: number[] = [];
  let isWaiting = false;
  const told: CoordinatorEvent[] = [];
  const recorded: (readonly Committable[])[] = [];
  const prepared = {
    how: 'prepared',
    connector: 'some',
    commitTerms: async (of: readonly Committable[]) => ({ terms: of.length }),
    namesOf: () => ({ name: 'x' }),
    problemOf: async () => undefined,
  };
  const delivered = { how: 'delivered', connector: 'later' };
  const deps = {
    sinks: { named: (name: string) => [prepared, delivered].find(({ connector }) => connector === name) },
    invoker: {
      invoke: async (_target: unknown, request: SinkRequest) => {
        if (isWaiting) throw new Error('it is asked in a pause');
        asked.push(request);
        return answer(request, asked.filter(({ ask }) => ask === request.ask).length);
      },
    },
    epochs: {
      readJob: async () => {
        await Promise.resolve();
        return { generation: isHeld() ? 1 : 2, incarnation: 'i' };
      },
      recordSentAgain: async (_job: string, _generation: number, { committables: of }: { committables: { list: Committable[] } }) => {
        recorded.push(of.list);
        return 'written';
      },
    },
    clock: {
      elapsedMs: () => nowMs,
      now: () => nowMs,
      sleep: async (ms: number) => {
        waits.push(ms);
        isWaiting = true;
        await new Promise((resolve) => setImmediate(resolve));
        isWaiting = false;
        nowMs += ms;
      },
    },
    random: { id: () => 'id', fraction: () => 0 },
    refusalTimeoutMs,
    observe: (event: CoordinatorEvent) => {
      told.push(event);
      if (event.event === 'doubtful') tell?.(event.resolution);
    },
  } as unknown as CoordinatorDeps;
  const settings = {
    job: 'job',
    build: 'b',
    plan: { job: 'job', stages: [], edges: [] },
    commitTimeoutMs: 9,
    epochTimeoutMs: 9,
    onMissingEvidence,
  };
  const tenure = { generation: 1, incarnation: 'i', sinkFacts: {}, pool: {} };
  const signal = isToldToEnd ? AbortSignal.abort() : new AbortController().signal;
  const held = { deps, settings, tenure, signal } as unknown as Held;
  const outputs = Object.fromEntries(committables.map(({ sink }) => [sink, [staged]]));
  const manifest = decided({
    ...{ version: 3, job: 'job', incarnation: 'i', epoch: 5, decisionId: 'five', offsets: {}, state: {} },
    ...{ outputs, committables },
  });
  const result = await commitEpoch(held, manifest, { recorded: undefined, isOld: false });
  return { result, asked, told, recorded, waits, waitedMs: nowMs - 100 };
}

it('each part of an epoch is committed by the connector that its committable names', async () => {
  const [own, other] = [committable('write', 'some', { id: 1 }), committable('copy', 'later')];
  const { result, asked } = await commit([own, other], ({ ask }) =>
    ask === 'send' ? { outcome: 'sent' } : { outcome: 'committed', doubtful: [] },
  );
  expect(asked).toHaveLength(2);
  expect(asked.find(({ ask }) => ask === 'commit')).toMatchObject({
    stage: 'write',
    connector: 'some',
    committables: [own],
    terms: { terms: 1 },
  });
  expect(asked.find(({ ask }) => ask === 'send')).toMatchObject({ stage: 'copy', connector: 'later', committable: other, staged });
  expect(result).toEqual({ republished: 0, delivers: true });
});

it('what a connector brought that this build has not stops the job', async () => {
  await expect(commit([committable('write', 'unknown')], () => ({}))).rejects.toThrow(
    new JobFailedError('the job has output of connector unknown, which this build does not have: run it by the build that it was run by'),
  );
});

it('what was sent again counts only in place of what was asked for', async () => {
  const own = committable('write', 'some', { id: 1 });
  const again = committable('write', 'some', { id: 2 });
  const { result, told, recorded } = await commit([own], ({ ask }, nth) => {
    if (ask === 'commit') return { outcome: 'committed', doubtful: nth < 3 ? [{ subtask: 0, why: 'lost' }] : [] };
    return { outcome: 'sent-again', committable: nth === 1 ? { ...again, subtask: 1 } : again };
  });
  const resolutions = told.flatMap((event) => (event.event === 'doubtful' ? [event.resolution] : []));
  expect(resolutions[0]).toMatch(
    /^failed: sink write, connector some, subtask 0, epoch 5 was to be resolved, and .*subtask 1, epoch 5 was sent again/,
  );
  expect(resolutions.slice(1)).toEqual(['republished']);
  expect(recorded).toEqual([[again]]);
  expect(result).toEqual({ republished: 1, delivers: false });
});

it('what is committed is not asked for again while another part of it is in doubt', async () => {
  const [first, second] = [committable('write', 'some', { id: 1 }), { ...committable('write', 'some', { id: 2 }), subtask: 1 }];
  const { asked } = await commit([first, second], ({ ask }, nth) => {
    if (ask === 'resolve') return { outcome: 'unsettled', message: 'a broker is away' };
    return { outcome: 'committed', doubtful: nth === 1 ? [{ subtask: 1, why: 'unknown' }] : [] };
  });
  const commits = asked.flatMap((request) => (request.ask === 'commit' ? [request.committables] : []));
  expect(commits).toEqual([[first, second], [second]]);
});

it('what is in doubt is resolved by the holder of the job alone: who has lost it asks for nothing that fences', async () => {
  const asked: SinkRequest[] = [];
  const answer = ({ ask }: SinkRequest) =>
    ask === 'commit' ? { outcome: 'committed', doubtful: [{ subtask: 0, why: 'unknown' }] } : { outcome: 'committed' };
  await expect(commit([committable('write', 'some')], answer, { asked, isHeld: () => false })).rejects.toThrow(SupersededError);
  expect(asked.map(({ ask }) => ask)).toEqual(['commit']);
});

it.each([
  [
    'what is not settled by then',
    { outcome: 'unsettled', message: 'a broker is away' },
    /^the commit of epoch 5 is left to the next coordinator/,
  ],
  ['nothing that turns out to be committed', { outcome: 'committed' }, undefined],
])('a coordinator that is told to end leaves %s to the next one', async (_what, resolved, message) => {
  const answer = ({ ask }: SinkRequest) =>
    ask === 'resolve' ? resolved : { outcome: 'committed', doubtful: [{ subtask: 0, why: 'unknown' }] };
  const committed = commit([committable('write', 'some')], answer, { isToldToEnd: true });
  if (message === undefined) expect((await committed).result).toEqual({ republished: 0, delivers: false });
  else await expect(committed).rejects.toThrow(message);
});

describe('a commit that only a person can help', () => {
  /** Every commit is in doubt, and every resolve is refused. */
  const refused = ({ ask }: SinkRequest) =>
    ask === 'commit'
      ? { outcome: 'committed', doubtful: [{ subtask: 0, why: 'unknown' }] }
      : { outcome: 'failed', kind: 'refused', message: 'no right' };
  const resolves = (asked: readonly SinkRequest[]) => asked.filter(({ ask }) => ask === 'resolve').length;

  it('stops the job when that has lasted for ONCEFLOW_COMMIT_TIMEOUT_MS', async () => {
    const asked: SinkRequest[] = [];
    await expect(commit([committable('write', 'some')], refused, { asked })).rejects.toThrow(new JobFailedError('no right'));
    // The first pause, of 8 ms, is shorter than that, and the second is not.
    expect(resolves(asked)).toBe(3);
  });

  it('stops it also where what is prepared is there still, and the commit alone is refused', async () => {
    const asked: SinkRequest[] = [];
    const told: string[] = [];
    const answer = ({ ask }: SinkRequest) =>
      ask === 'commit'
        ? { outcome: 'committed', doubtful: [{ subtask: 0, why: 'no right to complete', refused: true }] }
        : { outcome: 'unsettled', message: 'it is uploaded' };
    const tell = (resolution: string) => void told.push(resolution);
    await expect(commit([committable('write', 'some')], answer, { asked, tell })).rejects.toThrow(
      new JobFailedError('no right to complete'),
    );
    expect(resolves(asked)).toBe(3);
    expect(told[0]).toBe('unsettled: it is uploaded; the commit was refused: no right to complete');
  });

  it('does not when it was committed all the same', async () => {
    const answer = ({ ask }: SinkRequest) =>
      ask === 'commit' ? { outcome: 'committed', doubtful: [{ subtask: 0, why: 'no', refused: true }] } : { outcome: 'committed' };
    expect((await commit([committable('write', 'some')], answer)).result).toEqual({ republished: 0, delivers: false });
  });

  it.each([1, 2, 3])('does not stop the job of another coordinator that holds it since try %i', async (last) => {
    const asked: SinkRequest[] = [];
    const isHeld = () => resolves(asked) < last;
    await expect(commit([committable('write', 'some')], refused, { asked, isHeld })).rejects.toThrow(SupersededError);
    expect(resolves(asked)).toBe(last);
  });
});

describe('what a person says of missing evidence', () => {
  const doubted = (...subtasks: number[]) => ({ outcome: 'committed', doubtful: subtasks.map((subtask) => ({ subtask, why: 'unknown' })) });
  const without = (missing: string) => ({ outcome: 'no-evidence', message: `no evidence of ${missing}`, missing });
  const topicGone = (missing: string) => ({ outcome: 'unsettled', message: 'no topic', gone: `no topic of ${missing}`, missing });
  /** Of each resolve of a subtask the rule, and what it is of. */
  const rulesOf = (asked: readonly SinkRequest[], subtask = 0) =>
    asked.flatMap((request) =>
      request.ask === 'resolve' && request.subtask === subtask ? [[request.onMissingEvidence, request.missing ?? ''].join(' ').trim()] : [],
    );

  it('is asked for when that has been missing for ONCEFLOW_COMMIT_TIMEOUT_MS, and of that alone', async () => {
    const asked: SinkRequest[] = [];
    const answer = (request: SinkRequest) => {
      if (request.ask !== 'resolve') return doubted(0);
      return request.onMissingEvidence === 'committed' ? { outcome: 'committed' } : without('out-0');
    };
    await commit([committable('write', 'some')], answer, { asked, onMissingEvidence: 'committed' });
    expect(rulesOf(asked)).toEqual(['stop', 'stop', 'committed out-0']);
  });

  it('is not of what another subtask has been missing for so long, nor of what more is missing since', async () => {
    const asked: SinkRequest[] = [];
    const [first, second] = [committable('write', 'some', { id: 1 }), { ...committable('write', 'some', { id: 2 }), subtask: 1 }];
    const answer = (request: SinkRequest) => {
      if (request.ask !== 'resolve') return doubted(...(asked.length === 1 ? [0, 1] : [1]));
      if (request.subtask === 0) return { outcome: 'committed' };
      const nth = rulesOf(asked, 1).length;
      return request.onMissingEvidence === 'lost' ? { outcome: 'committed' } : without(nth === 3 ? 'out-1 out-2' : 'out-1');
    };
    await commit([first, second], answer, { asked, onMissingEvidence: 'lost' });
    // At the third nobody knows more of it than that, though the person's rule was asked for.
    expect(rulesOf(asked, 1)).toEqual(['stop', 'stop', 'lost out-1']);
  });

  it('begins anew when what is missing is not the same, and stops no job meanwhile', async () => {
    const asked: SinkRequest[] = [];
    const missing = ['out-0', 'out-0', 'out-1', 'out-1', 'out-1'];
    const answer = (request: SinkRequest) => {
      if (request.ask !== 'resolve') return doubted(0);
      const now = missing[rulesOf(asked).length - 1] ?? 'out-1';
      return request.onMissingEvidence === 'lost' && request.missing === now ? { outcome: 'committed' } : without(now);
    };
    await commit([committable('write', 'some')], answer, { asked, onMissingEvidence: 'lost' });
    expect(rulesOf(asked)).toEqual(['stop', 'stop', 'lost out-0', 'lost out-1']);
  });

  it('gives up what is gone, and nothing of which it cannot be told', async () => {
    const asked: SinkRequest[] = [];
    const answer = (request: SinkRequest) => {
      if (request.ask !== 'resolve') return doubted(0);
      // When the rule is tried first, another broker is away.
      return rulesOf(asked).length === 3 ? { outcome: 'unsettled', message: 'a broker is away' } : topicGone('gone-0');
    };
    const { result } = await commit([committable('write', 'some')], answer, { asked, onMissingEvidence: 'committed' });
    expect(result).toEqual({ republished: 0, delivers: false });
    expect(rulesOf(asked).slice(0, 4)).toEqual(['stop', 'stop', 'committed gone-0', 'stop']);
    expect(rulesOf(asked).at(-1)).toBe('committed gone-0');
  });

  it('gives up nothing that is gone besides what the rule was asked for', async () => {
    const asked: SinkRequest[] = [];
    const answer = (request: SinkRequest) => {
      if (request.ask !== 'resolve') return doubted(0);
      // When the rule is tried first, more is gone; then all that is gone had not gone for long.
      return topicGone(rulesOf(asked).length === 3 ? 'gone-0 gone-1' : 'gone-0');
    };
    await commit([committable('write', 'some')], answer, { asked, onMissingEvidence: 'committed' });
    expect(rulesOf(asked).slice(0, 3)).toEqual(['stop', 'stop', 'committed gone-0']);
    expect(rulesOf(asked).length).toBeGreaterThan(3);
    expect(rulesOf(asked).at(-1)).toBe('committed gone-0');
  });

  it('that it is to be sent again does not help where the topic is gone: the job stops', async () => {
    const answer = ({ ask }: SinkRequest) => (ask === 'resolve' ? topicGone('gone-0') : doubted(0));
    await expect(commit([committable('write', 'some')], answer, { onMissingEvidence: 'lost' })).rejects.toThrow(
      new JobFailedError('no topic of gone-0'),
    );
  });
});

it.each<[string, number | undefined, number]>([
  ['stops the job that a person has just started', undefined, 1],
  // Pauses of 8, 16 and 32 ms.
  ['stops the job when that has lasted', 24, 3],
  ['is tried for as long as it may be refused', 25, 4],
])('output that is refused when it is sent %s', async (_what, refusalTimeoutMs, sends) => {
  const asked: SinkRequest[] = [];
  const refused = () => ({ outcome: 'failed', kind: 'refused', message: 'no right' });
  const sent = commit([committable('copy', 'later')], refused, { refusalTimeoutMs, asked });
  await expect(sent).rejects.toThrow(new JobFailedError('no right'));
  expect(asked).toHaveLength(sends);
});

it.each([
  ['at once', undefined, 0],
  ['after a pause where the rest has failed', { outcome: 'failed', kind: 'transient', message: 'it is away' }, 8],
])('output of which a part was sent is sent on %s', async (_what, failed, pauseMs) => {
  const part = { outcome: 'sent-partly', done: { rows: 3 }, ...(failed !== undefined && { failed }) };
  const { asked, waitedMs } = await commit([committable('copy', 'later')], (_request, nth) => (nth === 1 ? part : { outcome: 'sent' }));
  expect([asked.map((request) => request.ask === 'send' && request.done), waitedMs]).toEqual([[undefined, { rows: 3 }], pauseMs]);
});

it('output of which nothing more was sent is tried after pauses that grow, and of which more was sent after the shortest again', async () => {
  const failed = { outcome: 'failed', kind: 'transient', message: 'it is away' };
  const part = (rows: number) => ({ outcome: 'sent-partly', done: { rows }, failed });
  const answers = [part(1), part(1), part(1), part(2), { outcome: 'sent' }];
  const { waits, asked } = await commit([committable('copy', 'later')], (_request, nth) => answers[nth - 1] ?? {});
  expect(waits).toEqual([8, 16, 32, 8]);
  expect(asked).toHaveLength(5);
});

it('output of which nothing more was sent is not asked for again without a pause, though nothing has failed', async () => {
  const part = { outcome: 'sent-partly', done: { rows: 1 } };
  const answers = [part, part, part, { outcome: 'sent' }];
  const { waits } = await commit([committable('copy', 'later')], (_request, nth) => answers[nth - 1] ?? {});
  expect(waits).toEqual([8, 16]);
});
