import { kafkaRequestTimeoutMs } from '../lib/config/kafka-request-timeout.ts';
import type { ConfigOf, NameFor, ToolConfig } from '../lib/config/parameters.ts';
import type { KafkaOptions } from '../lib/kafka/connect.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { KafkaClient } from '../lib/ports/kafka-checks.ts';
import type { KafkaRequests, TopicRequests } from '../lib/ports/kafka-requests.ts';
import { tlsAndLogin } from './kafka-login.ts';
import { openLog } from './log.ts';

/** Kafka with TLS and login as the parameters say. The client is loaded here, and connects at its first request. */
export async function openKafka(
  config: ToolConfig<NameFor<'host'>>,
  options: Omit<KafkaOptions, 'ssl' | 'sasl'>,
): Promise<KafkaClient & TopicRequests> {
  const [{ connectKafka }, security] = await Promise.all([import('../lib/kafka/connect.ts'), tlsAndLogin(config, options.clock)]);
  return connectKafka({ ...security, ...options });
}

/** What a connection of a function is made of. */
interface Connecting {
  readonly config: ConfigOf<'host'>;
  readonly job: { readonly name: string };
  readonly clock: Clock;
}

/** @param onRefusedLogin see `KafkaOptions`: `wait` in a process that joins a running job */
export function connectFunction({ config, job, clock }: Connecting, onRefusedLogin: 'fail' | 'wait'): Promise<KafkaRequests> {
  return openKafka(config, {
    onRefusedLogin,
    brokers: config.brokers,
    clientId: `onceflow-${job.name}`,
    requestTimeoutMs: kafkaRequestTimeoutMs(config),
    metadataMaxAgeMs: config.partitionDiscoveryIntervalMs,
    clock,
    log: (message) => void openLog({ logLevel: config.logLevel, job: job.name }, process.env).then((log) => log('warn', message)),
  });
}
