import { expect, it } from 'vitest';
import { answerFault } from '../../../lib/protocol/answers.ts';
import { earlierRequest } from '../../../lib/protocol/earlier/requests.ts';
import { requestFault } from '../../../lib/protocol/requests.ts';

/* As coordinators of commit 0ab8f1b ask, and what they take for an answer. */
const common = {
  ...{ build: 'earlier', job: 'job', incarnation: 'i', epoch: 5, decisionId: 'five', stage: 'write', subtask: 1, timeoutMs: 9 },
  ...{ deadlineMs: Number.MAX_SAFE_INTEGER, parallelism: { write: 2 } },
  sinkTopics: { out: { partitions: 3, maxBatchBytes: 1000, compacted: false } },
  permit: { epoch: 5, decisionId: 'five', generation: 1, decided: true },
};
const who = { transactionalId: 'job-i-write-1-1', producerId: '7', producerEpoch: 3 };
const committable = { sink: 'write', subtask: 1, epoch: 5, ...who, written: [{ topic: 'out', partition: 0, first: 3, last: 9 }] };
const staged = [{ at: 'inline', base64: 'AA==' }];
const asks = ['commit', 'resolve', 'send', 'abort'];

function taken(payload: object) {
  const earlier = earlierRequest(payload);
  if (earlier === undefined) throw new Error('it is not taken for one');
  expect(requestFault(earlier.request, asks)).toBeUndefined();
  return earlier;
}

it('a commit is understood, and which are in doubt is answered by their transactional ids', () => {
  const { request, answer } = taken({ ...common, ask: 'commit', committables: [committable], compacted: ['out'], isOld: true });
  expect(request).toMatchObject({
    connector: 'kafka',
    committables: [{ sink: 'write', connector: 'kafka', subtask: 1, epoch: 5, token: { ...who, written: committable.written } }],
    terms: { compacted: ['out'] },
    isOld: true,
  });
  expect(answer({ outcome: 'committed', doubtful: [{ subtask: 1, why: 'open' }] })).toEqual({
    outcome: 'committed',
    doubtful: [{ transactionalId: 'job-i-write-1-1', why: 'open' }],
  });
  const failed = { outcome: 'failed', kind: 'transient', message: 'no' };
  expect(answer(failed)).toEqual(failed);
});

it('a resolve is understood, and what was sent again is answered as they have it', () => {
  const asked = { ...common, ask: 'resolve', committable, transactionTimeoutMs: 60_000, staged, compacted: [], onMissingEvidence: 'lost' };
  const { request, answer } = taken(asked);
  expect(request).toMatchObject({ connector: 'kafka', terms: { compacted: [], transactionTimeoutMs: 60_000 }, onMissingEvidence: 'lost' });
  const token = { ...who, producerEpoch: 4, written: [] };
  const sentAgain = { outcome: 'sent-again', committable: { sink: 'write', connector: 'kafka', subtask: 1, epoch: 5, token } } as const;
  expect(answerFault('resolve', sentAgain)).toBeUndefined();
  expect(answer(sentAgain)).toEqual({ outcome: 'sent-again', committable: { ...committable, ...token } });
  const gone = { outcome: 'unsettled', message: 'no broker knows it', gone: 'make it anew' } as const;
  expect(answerFault('resolve', gone)).toBeUndefined();
  expect(answer(gone)).toEqual({ outcome: 'unsettled', message: 'no broker knows it', unknownTopic: 'out' });
});

it('an abort and a send are understood', () => {
  expect(taken({ ...common, ask: 'abort', committables: [committable] }).request).toMatchObject({ connector: 'kafka' });
  const { request, answer } = taken({ ...common, ask: 'send', staged });
  const own = { sink: 'write', connector: 'write-ahead', subtask: 1, epoch: 5, token: {} };
  expect(request).toMatchObject({ connector: 'write-ahead', committable: own, staged });
  expect(answer({ outcome: 'sent' })).toEqual({ outcome: 'sent' });
  const failed = { outcome: 'failed', kind: 'refused', message: 'grant WRITE' };
  expect(answer({ outcome: 'sent-partly', done: {}, failed })).toEqual(failed);
  expect(answer({ outcome: 'sent-partly', done: {} })).toMatchObject({ outcome: 'failed', kind: 'transient' });
});

it('what need not be done is not translated: it is refused as of another build; nor is what this build asks', () => {
  expect(earlierRequest({ ...common, ask: 'prepare', topic: 'out', transactionTimeoutMs: 1, staged })).toBeUndefined();
  expect(earlierRequest({ ...common, ask: 'read' })).toBeUndefined();
  expect(earlierRequest({ ...common, version: 2, ask: 'commit', committables: [] })).toBeUndefined();
  expect(earlierRequest('commit')).toBeUndefined();
});
