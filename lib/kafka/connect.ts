import { BROKERS_RULE, type BrokerAddress, parseBrokerAddress } from '../config/broker-address.ts';
import type { Clock } from '../ports/clock.ts';
import type { KafkaClient } from '../ports/kafka-checks.ts';
import { KafkaProblem, type TopicRequests } from '../ports/kafka-requests.ts';
import { adminRequests } from './admin-requests.ts';
import { checkRequests } from './check-requests.ts';
import { Cluster } from './cluster.ts';
import type { SslOptions } from './connection.ts';
import { inspectionRequests } from './inspection-requests.ts';
import { Admission, type SaslOptions } from './log-in.ts';
import { logRequests } from './log-requests.ts';
import { sourceRequests } from './source-requests.ts';
import { topicRequests } from './topic-requests.ts';
import { transactionRequests } from './transaction-requests.ts';

export interface KafkaOptions {
  /** `host:port` of brokers to connect to first; the others are learned from them. */
  readonly brokers: readonly string[];
  /** Names this client in the brokers' logs and quotas. */
  readonly clientId: string;
  /** @default no TLS */
  readonly ssl?: SslOptions | undefined;
  /** @default no login */
  readonly sasl?: SaslOptions | undefined;
  /**
   * What a refused login, or a certificate that is not to be trusted, means until a login has succeeded: `fail` needs a
   * person; `wait` is no answer, as it is in any case afterwards. `wait` is for processes that join a running job.
   * @default fail
   */
  readonly onRefusedLogin?: 'fail' | 'wait';
  /** How long an answer may take before it counts as `NO_ANSWER` and the connection is dropped. @default 30 s */
  readonly requestTimeoutMs?: number;
  /** For connecting, TLS included. @default 5 s, at most the request timeout */
  readonly connectionTimeoutMs?: number;
  /**
   * A broker that is asked what any broker knows (metadata, coordinators, settings) may take so long before the next one is
   * asked too. @default 1 s, at most a quarter of the request timeout
   */
  readonly patienceMs?: number | undefined;
  /** Leaders and partition counts are asked for again after this time: so long may new partitions stay unseen. @default 10 s */
  readonly metadataMaxAgeMs?: number;
  /** A connection that was idle for longer is replaced before it is used. @default 60 s */
  readonly maxIdleMs?: number;
  readonly clock: Clock;
  /** Is told, in one line each, when a broker stops answering, answers again, or refuses something. @default silence */
  readonly log?: (message: string) => void;
}

/**
 * Kafka's requests over kafkajs's connections. Nothing is connected before the first request, so a cluster that is down
 * is no error here but `NO_ANSWER`, or a retriable `KafkaProblem`, there; connections that fail are replaced by the next
 * request. Rejects with a `KafkaProblem` when `brokers` cannot be addresses.
 */
export async function connectKafka(options: KafkaOptions): Promise<KafkaClient & TopicRequests> {
  const { clock, requestTimeoutMs = 30_000 } = options;
  const log = options.log ?? (() => {});
  const login = { brokers: options.brokers, ssl: options.ssl, sasl: options.sasl };
  const cluster = new Cluster({
    seeds: addressesOf(options.brokers),
    link: {
      connection: {
        clientId: options.clientId,
        ssl: options.ssl,
        requestTimeoutMs,
        connectionTimeoutMs: options.connectionTimeoutMs ?? Math.min(5_000, requestTimeoutMs),
        log,
      },
      login,
      admission: new Admission(options.onRefusedLogin !== 'wait'),
      clock,
      maxIdleMs: options.maxIdleMs ?? 60_000,
      log,
    },
    login,
    clock,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 10_000,
    patienceMs: options.patienceMs ?? Math.min(1_000, requestTimeoutMs / 4),
    log,
  });
  return {
    ...logRequests(cluster, clock),
    ...transactionRequests(cluster, requestTimeoutMs),
    ...sourceRequests(cluster, clock),
    ...adminRequests(cluster, clock),
    ...inspectionRequests(cluster, clock),
    ...topicRequests(cluster),
    ...checkRequests(cluster, clock),
    close: async () => cluster.close(),
  };
}

function addressesOf(brokers: readonly string[]): BrokerAddress[] {
  const addresses = brokers.map(parseBrokerAddress).filter((address) => address !== undefined);
  if (addresses.length === 0 || addresses.length < brokers.length) {
    throw new KafkaProblem('INVALID_CONFIG', `ONCEFLOW_BROKERS is "${brokers.join(',')}": it must be ${BROKERS_RULE}`, false);
  }
  return addresses;
}
