import type { ApiVersions } from '../../ports/kafka-checks.ts';

type Apis = ReadonlyMap<number, ApiVersions>;

/** The newest first: a request, or the version of one, that came with a release of Apache Kafka. Brokers do not say their own. */
const signs: readonly (readonly [release: string, isThere: (apis: Apis) => boolean])[] = [
  ['4.1', knows(88)], // StreamsGroupHeartbeat
  ['4.0', (apis) => (apis.get(1)?.min ?? 0) >= 4], // Fetch of clients before 0.11 went
  ['3.9', knows(80)], // AddRaftVoter
  ['3.8', knows(75)], // DescribeTopicPartitions
  ['3.7', knows(71)], // GetTelemetrySubscriptions
  ['3.0', knows(65)], // DescribeTransactions
  ['2.8', knows(61)], // DescribeProducers
];

function knows(key: number): (apis: Apis) => boolean {
  return (apis) => apis.has(key);
}

/** The first release of Apache Kafka that knows what this broker knows. Undefined: it is older than what the engine needs, 2.8. */
export function releaseOf(apis: Apis): string | undefined {
  return signs.find(([, isThere]) => isThere(apis))?.[0];
}
