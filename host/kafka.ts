import { kafkaRequestTimeoutMs } from '../lib/config/kafka-request-timeout.ts';
import { type ConfigOf, clusterParameters, type NameFor, parameters, type ToolConfig } from '../lib/config/parameters.ts';
import type { KafkaOptions } from '../lib/kafka/connect.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { KafkaClient } from '../lib/ports/kafka-checks.ts';
import type { KafkaRequests, TopicRequests } from '../lib/ports/kafka-requests.ts';
import { type ClusterLogin, type ClusterParameters, tlsAndLogin } from './kafka-login.ts';
import { openLog } from './log.ts';

/**
 * Kafka with TLS and login as the parameters say, and each cluster that has a name with its own: one without parameters is not known, also
 * where no other has a name. The client is loaded here, and connects at its first request of each.
 */
export async function openKafka(
  config: ToolConfig<NameFor<'host'>>,
  options: Omit<KafkaOptions, 'ssl' | 'sasl'>,
): Promise<KafkaClient & TopicRequests> {
  const { kafkaClusters } = config;
  const unnamed = await openCluster(config, parameters, options);
  const { clientOfClusters } = await import('../lib/kafka/clusters.ts');
  const named = await Promise.all(
    Object.entries(kafkaClusters ?? {}).map(async ([cluster, own]) => {
      const log = (message: string) => options.log?.(`cluster ${cluster}: ${message}`);
      return [cluster, await openCluster(own, clusterParameters(cluster), { ...options, brokers: own.brokers, log })] as const;
    }),
  );
  return clientOfClusters(new Map([['', unnamed], ...named]));
}

async function openCluster(
  login: ClusterLogin,
  names: ClusterParameters,
  options: Omit<KafkaOptions, 'ssl' | 'sasl'>,
): Promise<KafkaClient & TopicRequests> {
  const [{ connectKafka }, security] = await Promise.all([import('../lib/kafka/connect.ts'), tlsAndLogin(login, options.clock, names)]);
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
