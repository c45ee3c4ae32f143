import { Kafka, logLevel } from 'kafkajs';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { type KafkaJsMessage, kafkaJsMessage } from '../../lib/kafka/kafkajs-internals.ts';
import { Admission } from '../../lib/kafka/log-in.ts';
import { NoAnswer, type WireRequest } from '../../lib/kafka/wire-request.ts';

/** The stack's brokers, as the global setup provides them. */
export function brokers(): string[] {
  const text = process.env['ONCEFLOW_BROKERS'];
  if (text === undefined) throw new Error('ONCEFLOW_BROKERS is not set: the integration tests run on a stack');
  return text.split(',');
}

/** kafkajs's own client, as any user has it. */
export function kafkaJs(at = brokers()): Kafka {
  return new Kafka({ brokers: at, logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50, retries: 20 } });
}

const clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
const clusters = new Map<string, Cluster>();

/** One for the whole test file: sends requests that neither kafkajs's client nor the engine has. */
export function cluster(at = brokers()): Cluster {
  const name = at.join(',');
  const known = clusters.get(name);
  if (known !== undefined) return known;
  const login = { brokers: at, ssl: undefined, sasl: undefined };
  const connection = {
    clientId: 'test',
    ssl: undefined,
    requestTimeoutMs: 30_000,
    connectionTimeoutMs: 5_000,
    log: () => {},
  };
  const seeds = at.map((broker) => ({
    host: broker.slice(0, broker.lastIndexOf(':')),
    port: Number(broker.slice(broker.lastIndexOf(':') + 1)),
  }));
  const made = new Cluster({
    seeds,
    login,
    clock,
    metadataMaxAgeMs: 1_000,
    patienceMs: 1_000,
    log: () => {},
    link: { connection, login, admission: new Admission(true), clock, maxIdleMs: 60_000, log: () => {} },
  });
  clusters.set(name, made);
  return made;
}

/** A request with kafkajs's codecs, which are not the engine's for the records: fields in, decoded response out. */
export async function kafkaJsRequest<T>(name: string, version: number, fields: object): Promise<WireRequest<T>> {
  const { request, response }: KafkaJsMessage = kafkaJsMessage(name, version, fields);
  return {
    api: { key: request.apiKey, name, version: request.apiVersion, flexible: false },
    body: [(await request.encode()).buffer],
    decode: (payload) => response.decode(payload) as Promise<T>,
    throttleMs: () => 0,
    heldMs: 0,
  };
}

interface ListOffsetsResponse {
  readonly responses: readonly {
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly offset: string }[];
  }[];
}

export type Isolation = 'committed' | 'uncommitted';

/** Ends by partition: the last stable offsets, or the high watermarks; NaN where the leader has not taken over yet. */
export async function endsOf(topic: string, isolation: Isolation, at = brokers()): Promise<number[]> {
  const leaders = await cluster(at).leaders(topic);
  const ends = leaders.map(() => Number.NaN);
  for (const leader of new Set(leaders)) {
    const partitions = leaders.flatMap((its, partition) => (its === leader ? [{ partition }] : []));
    const fields = { replicaId: -1, isolationLevel: isolation === 'committed' ? 1 : 0, topics: [{ topic, partitions }] };
    const response = await cluster(at).sendTo(leader, 'control', await kafkaJsRequest<ListOffsetsResponse>('ListOffsets', 2, fields));
    if (response instanceof NoAnswer) throw new Error(response.reason);
    const found = response.responses.flatMap((one) => one.partitions).filter(({ errorCode }) => errorCode === 0);
    for (const { partition, offset } of found) ends[partition] = Number(offset);
  }
  return ends;
}
