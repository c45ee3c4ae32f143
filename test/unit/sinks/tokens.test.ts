import { describe, expect, it } from 'vitest';
import { MalformedError } from '../../../lib/protocol/malformed.ts';
import type {
  AbortSinkRequest,
  CommitSinkRequest,
  ResolveSinkRequest,
  SendSinkRequest,
  SinkRequest,
} from '../../../lib/protocol/requests.ts';
import { filesCommittable } from '../../../lib/sinks/files/committable.ts';
import { asCommittable, kafkaCommittable } from '../../../lib/sinks/kafka/committable.ts';
import type { Received } from '../../../lib/stages/received.ts';
import { serveSink } from '../../../lib/stages/serve.ts';
import type { SinkDeps } from '../../../lib/stages/sink.ts';
import { permitOf } from '../../support/decided.ts';

const transaction = {
  ...{ sink: 'write', subtask: 0, epoch: 5, transactionalId: 'id', producerId: '7', producerEpoch: 3 },
  written: [{ topic: 'out', partition: 0, first: 3, last: 9 }],
};
const ofKafka = asCommittable(transaction);
const ofWriteAhead = { sink: 'write', connector: 'write-ahead', subtask: 0, epoch: 5, token: {} };
const ofDeliver = { ...ofWriteAhead, connector: 'deliver' };
const ofDynamo = { ...ofWriteAhead, connector: 'dynamodb' };
const ofFiles = { ...ofWriteAhead, connector: 'files', token: { location: 's3://files', files: [] } };

it('what a connector has made of a token it finds in it again', () => {
  expect(kafkaCommittable(JSON.parse(JSON.stringify(ofKafka)))).toEqual(transaction);
});

it('a token of another connector is no token of files, whatever it holds', () => {
  expect(() => filesCommittable({ ...ofFiles, connector: 'kafka' })).toThrow(/sink write, subtask 0, epoch 5 is of connector kafka/);
});

it.each([
  ['of another connector, whatever it holds', { ...ofKafka, connector: 'files' }, /sink write, subtask 0, epoch 5 is of connector files/],
  ['that is damaged', { ...ofKafka, token: { ...ofKafka.token, producerEpoch: 'x' } }, /holds no transaction of Kafka: producerEpoch/],
  [
    'with the marker of an old build, damaged',
    { ...ofKafka, token: { ...ofKafka.token, written: [], marker: { topic: 'out' } } },
    /holds no transaction of Kafka: marker\.startedAtMs/,
  ],
  ['that is empty', { ...ofWriteAhead, connector: 'kafka' }, /holds no transaction of Kafka: transactionalId/],
])('a token %s is not taken', (_what, committable, message) => {
  expect(() => kafkaCommittable(committable)).toThrow(MalformedError);
  expect(() => kafkaCommittable(committable)).toThrow(message);
});

describe("a sink's function", () => {
  const permit = permitOf(5, 'five');
  const common = { stage: 'write', subtask: 0, epoch: 5, deadlineMs: 1 };
  const asked: string[] = [];
  /** A broker, or a store, that nobody may ask. */
  const kafka = new Proxy({}, { get: (_, api) => (api === 'then' ? undefined : () => asked.push(String(api))) });
  const targets = { uploads: async () => kafka, items: async () => kafka };
  const deps = { kafka, targets, blobs: { read: async () => Buffer.alloc(0) }, clock: { elapsedMs: () => 0 } } as unknown as SinkDeps;
  const serve = (request: object) => serveSink(deps, { ...common, ...request } as unknown as Received<SinkRequest>);

  const wrong: readonly (readonly [string, object])[] = [
    [
      'commit',
      {
        connector: 'kafka',
        permit,
        committables: [ofWriteAhead],
        terms: { compacted: [] },
        isOld: true,
      } satisfies Partial<CommitSinkRequest>,
    ],
    ['abort', { connector: 'kafka', committables: [ofWriteAhead] } satisfies Partial<AbortSinkRequest>],
    [
      'resolve',
      {
        connector: 'kafka',
        permit,
        committable: ofWriteAhead,
        terms: { compacted: [] },
        staged: [],
        onMissingEvidence: 'stop',
      } satisfies Partial<ResolveSinkRequest>,
    ],
    ['send', { connector: 'write-ahead', permit, committable: ofKafka, staged: [] } satisfies Partial<SendSinkRequest>],
    ['send', { connector: 'deliver', permit, committable: ofDynamo, staged: [] } satisfies Partial<SendSinkRequest>],
    ['send', { connector: 'dynamodb', permit, committable: ofDeliver, staged: [] } satisfies Partial<SendSinkRequest>],
  ];
  it.each(wrong)('that is to %s what another connector has made asks nobody for anything, and says it', async (ask, request) => {
    const answer = await serve({ ask, ...request });
    expect(answer).toMatchObject({
      outcome: 'failed',
      kind: 'fatal',
      message: expect.stringMatching(/ is of connector .*, and was given to /),
    });
    expect(asked).toEqual([]);
  });

  it('does what a connector does, and what it has not it says', async () => {
    const said = async (request: object) => (await serve(request)) as { readonly kind?: string; readonly message?: string };
    expect(await said({ ask: 'prepare', connector: 'write-ahead', terms: {}, staged: [] })).toMatchObject({
      kind: 'fatal',
      message: /prepares nothing/,
    });
    expect(await said({ ask: 'send', connector: 'kafka', permit, committable: ofKafka, staged: [] })).toMatchObject({ kind: 'fatal' });
    const unknown = await said({ ask: 'commit', connector: 'constructor', permit, committables: [], terms: {}, isOld: true });
    expect(unknown).toMatchObject({ kind: 'fatal', message: 'this build has no connector constructor: the job was run by a newer one' });
  });

  it.each<[string, object]>([
    ['commits', { ask: 'commit', connector: 'kafka', committables: [ofKafka], terms: { compacted: [] }, isOld: false }],
    ['sends', { ask: 'send', connector: 'write-ahead', committable: ofWriteAhead, staged: [] }],
    [
      'sends again',
      { ask: 'resolve', connector: 'kafka', committable: ofKafka, terms: { compacted: [] }, staged: [], onMissingEvidence: 'stop' },
    ],
    ['completes files', { ask: 'commit', connector: 'files', committables: [ofFiles], terms: {}, isOld: false }],
    ['writes files again', { ask: 'resolve', connector: 'files', committable: ofFiles, terms: {}, staged: [], onMissingEvidence: 'stop' }],
    ['delivers', { ask: 'send', connector: 'deliver', committable: ofDeliver, staged: [] }],
    ['writes items', { ask: 'send', connector: 'dynamodb', committable: ofDynamo, staged: [] }],
  ])('%s under the permit of its epoch alone', async (_what, request) => {
    const answer = await serve({ ...request, permit: permitOf(4, 'four') });
    expect(answer).toMatchObject({ outcome: 'failed', message: 'the permit for epoch 4 does not cover the committable of epoch 5' });
    expect(asked).toEqual([]);
  });
});
