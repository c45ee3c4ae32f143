import { describe, expect, it } from 'vitest';
import { type KafkaAnswer, KafkaProblem, type ProducerState } from '../../../../lib/ports/kafka-requests.ts';
import type { SinkEvent } from '../../../../lib/sinks/connector.ts';
import { coordinateKafka, type KafkaClients } from '../../../../lib/sinks/kafka/coordination.ts';

interface Broker {
  readonly initProducerId?: KafkaAnswer;
  readonly describeProducers?: KafkaAnswer;
  /** Where that is the answer. Undefined: everywhere. */
  readonly notDescribed?: string;
  readonly leaders?: readonly number[];
  /** Producer ids that have a transaction open in partition 0; what is aborted is open no more. */
  readonly open?: readonly string[];
  readonly abort?: KafkaAnswer;
  /** What nobody can be asked for an id without. */
  readonly fails?: KafkaProblem;
  /** Where the sinks of this run write to. */
  readonly inUse?: readonly string[];
  /** Where they have ever written to. */
  readonly places?: readonly string[];
}

/** Settles a sink `write` of one subtask, whose two ids have the producer ids 1 and 2, for at most a second of its clock. */
async function settle(broker: Broker) {
  const { initProducerId = 'NONE', describeProducers = 'NONE', leaders = [1], open = [], abort = 'NONE', fails, inUse } = broker;
  const { notDescribed, places = ['out'] } = broker;
  let nowMs = 0;
  const [told, ended]: [SinkEvent[], string[]] = [[], []];
  let stillOpen = open;
  let ids = 0;
  const state = (producerId: string): ProducerState => ({
    partition: 0,
    producerId,
    producerEpoch: 3,
    lastTimestampMs: -1e9,
    openSince: 5,
  });
  const kafka = {
    initProducerId: async () => {
      if (fails !== undefined) throw fails;
      return { answer: initProducerId, producerId: `${++ids}`, producerEpoch: 4 };
    },
    leaders: async () => leaders,
    forgetLeaders: () => {},
    describeProducers: async (_leader: number, topic: string) =>
      notDescribed === undefined || topic === notDescribed
        ? { answer: describeProducers, producers: stillOpen.map(state) }
        : { answer: 'NONE', producers: [] },
    addPartitions: async () => 'NONE',
    endTxn: async ({ producerId }: { readonly producerId: string }, commit: boolean) => {
      ended.push(`${commit ? 'commit' : 'abort'} of ${producerId}`);
      if (abort === 'NONE') stillOpen = stillOpen.filter((one) => one !== producerId);
      return abort;
    },
    brokerConfig: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return new Map();
    },
  };
  const clock = {
    now: () => nowMs,
    elapsedMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const clients = { kafka, clock, random: { id: () => '', fraction: () => 0.5 } } as unknown as KafkaClients;
  const scope = { job: 'job', incarnation: 'inc', sinks: { write: { subtasks: 1, places } }, inUse };
  const { settle: settleScope } = coordinateKafka(clients, { transactionTimeoutMs: 60_000 });
  const outcome = await settleScope({ ...clients, deadlineMs: 1_000 }, scope, (event) => told.push(event));
  return { outcome, told: told.map((event) => `${event.event}: ${event.message}`), ended };
}

describe('what may be open in a pool is settled', () => {
  it('when nothing is open, at once', async () => {
    expect(await settle({})).toEqual({ outcome: { outcome: 'settled', ends: 2 }, told: [], ended: [] });
  });

  it('when what brokers have left open under its ids is aborted', async () => {
    const { outcome, ended } = await settle({ open: ['2'] });
    expect(outcome).toEqual({ outcome: 'settled', ends: 2 });
    expect(ended).toEqual(['abort of 2']);
  });

  it('and what others have open for longer than they may is said before that', async () => {
    const { outcome, told, ended } = await settle({ open: ['9'] });
    expect(outcome).toEqual({ outcome: 'settled', ends: 2 });
    expect(told).toEqual([expect.stringMatching(/^hanging-transaction: .*out-0 wait at offset 5: a transaction of producer 9/)]);
    expect(ended).toEqual([]);
  });

  it('without what has no leader, which is said', async () => {
    const { outcome, told } = await settle({ leaders: [1, -1] });
    expect(outcome).toEqual({ outcome: 'settled', ends: 2 });
    expect(told).toEqual([expect.stringMatching(/^warning: without a leader for 1 s: out-1; /)]);
  });
});

it.each<[string, Broker, boolean, RegExp]>([
  [
    'an id that is refused',
    { initProducerId: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' },
    false,
    /InitProducerId was .*: grant WRITE and DESCRIBE/,
  ],
  [
    'an id that nobody answers for',
    { initProducerId: 'COORDINATOR_NOT_AVAILABLE' },
    true,
    /InitProducerId was answered COORDINATOR_NOT_AVAILABLE$/,
  ],
  [
    'a topic that may not be looked at',
    { describeProducers: 'TOPIC_AUTHORIZATION_FAILED' },
    false,
    /DescribeProducers of topic out .*: grant READ/,
  ],
  [
    'what may not be aborted',
    { open: ['1'], abort: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' },
    false,
    /job-inc-write-0-0 could not be settled: aborting what the broker had left open was .*: grant WRITE and DESCRIBE/,
  ],
  ['a cluster that nobody knows here', { fails: new KafkaProblem('UNKNOWN_CLUSTER', 'set it', false) }, false, /^set it$/],
  ['a cluster that is away', { fails: new KafkaProblem('NO_ANSWER', 'it is away', true), inUse: ['out'] }, true, /^it is away$/],
  [
    'a topic of this run that may not be looked at',
    { describeProducers: 'TOPIC_AUTHORIZATION_FAILED', inUse: ['out'] },
    false,
    /DescribeProducers of topic out .*: grant READ/,
  ],
  ['what could not be aborted', { open: ['1'], abort: 'INVALID_TXN_STATE' }, true, /aborting what .* was answered INVALID_TXN_STATE$/],
])('%s is not settled, and it is said whether that may pass', async (_what, broker, retriable, message) => {
  expect((await settle(broker)).outcome).toEqual({ outcome: 'failed', retriable, message: expect.stringMatching(message) });
});

it.each<[string, Broker, RegExp]>([
  [
    'may not look at a topic',
    { describeProducers: 'TOPIC_AUTHORIZATION_FAILED' },
    /^warning: what the job may have left open in out, where it does not write .*TOPIC_AUTHORIZATION_FAILED: grant READ/,
  ],
  ['does not know a cluster', { fails: new KafkaProblem('UNKNOWN_CLUSTER', 'set it', false) }, /^warning: .* in out, .*: set it$/],
  ['has no answer of a cluster', { fails: new KafkaProblem('NO_ANSWER', 'it is away', true) }, /^warning: .* in out, .*: it is away$/],
  ['has no right to the ids', { initProducerId: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' }, /^warning: .* in out, .*InitProducerId was/],
])('a job that %s any more, where it wrote once and does not now, is not stopped for that', async (_what, broker, said) => {
  const { outcome, told } = await settle({ ...broker, inUse: ['another'] });
  expect(outcome).toMatchObject({ outcome: 'settled' });
  expect(told).toEqual([expect.stringMatching(said)]);
});

it('of a topic where the job may look nothing is said, though it does not write there any more', async () => {
  const { outcome, told, ended } = await settle({ open: ['2'], inUse: ['another'] });
  expect({ outcome, told, ended }).toEqual({ outcome: { outcome: 'settled', ends: 2 }, told: [], ended: ['abort of 2'] });
});

it('a topic where the job may not look, and does not write any more, is left out, and the others are settled', async () => {
  const refused = { describeProducers: 'TOPIC_AUTHORIZATION_FAILED', notDescribed: 'old', places: ['old', 'out'] } as const;
  const { outcome, told } = await settle({ ...refused, inUse: ['out'] });
  expect(outcome).toEqual({ outcome: 'settled', ends: 2 });
  expect(told).toEqual([expect.stringMatching(/^warning: what the job may have left open in old, where .*: grant READ/)]);
  expect((await settle({ ...refused, inUse: ['old', 'out'] })).outcome).toMatchObject({ outcome: 'failed', retriable: false });
});
