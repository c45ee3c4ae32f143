import { kafkaJsMessage } from './kafkajs-internals.ts';
import type { WireRequest } from './wire-request.ts';

interface ClientThrottled {
  readonly clientSideThrottleTime?: number;
}

async function kafkaJsRequest<T extends ClientThrottled>(name: string, version: number, fields: object): Promise<WireRequest<T>> {
  const { request, response } = kafkaJsMessage(name, version, fields);
  return {
    api: { key: request.apiKey, name, version: request.apiVersion, flexible: false },
    body: [(await request.encode()).buffer],
    decode: (payload) => response.decode(payload) as Promise<T>,
    throttleMs: ({ clientSideThrottleTime }) => clientSideThrottleTime ?? 0,
    heldMs: 0,
  };
}

interface OnTopics<P> {
  readonly topic: string;
  readonly partitions: readonly P[];
}

interface ProducerFields {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

interface Coded extends ClientThrottled {
  readonly errorCode: number;
}

interface CodedPartition {
  readonly partition: number;
  readonly errorCode: number;
}

export interface FindCoordinatorResponse extends Coded {
  readonly errorMessage: string | null;
  readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number };
}

export interface DescribeConfigsResponse extends ClientThrottled {
  readonly resources: readonly {
    readonly errorCode: number;
    readonly errorMessage: string | null;
    readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
  }[];
}

export interface ListOffsetsResponse extends ClientThrottled {
  readonly responses: readonly OnTopics<CodedPartition & { readonly offset: string }>[];
}

/** Small requests, each in the newest version that kafkajs has; brokers from 2.5 to 4.x know all of them. */
export const codecs = {
  apiVersions: () =>
    kafkaJsRequest<Coded & { readonly apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[] }>(
      'ApiVersions',
      2,
      {},
    ),
  findCoordinator: (kind: 'group' | 'transaction', key: string) =>
    kafkaJsRequest<FindCoordinatorResponse>('GroupCoordinator', 2, { groupId: key, coordinatorType: kind === 'group' ? 0 : 1 }),
  initProducerId: (transactionalId: string, transactionTimeoutMs: number) =>
    kafkaJsRequest<Coded & { readonly producerId: string; readonly producerEpoch: number }>('InitProducerId', 1, {
      transactionalId,
      transactionTimeout: transactionTimeoutMs,
    }),
  addPartitionsToTxn: (fields: ProducerFields & { readonly topics: readonly OnTopics<number>[] }) =>
    kafkaJsRequest<ClientThrottled & { readonly errors: readonly { readonly partitionErrors: readonly CodedPartition[] }[] }>(
      'AddPartitionsToTxn',
      1,
      fields,
    ),
  addOffsetsToTxn: (fields: ProducerFields & { readonly groupId: string }) => kafkaJsRequest<Coded>('AddOffsetsToTxn', 1, fields),
  endTxn: (fields: ProducerFields & { readonly transactionResult: boolean }) => kafkaJsRequest<Coded>('EndTxn', 1, fields),
  /** As a client that is no member of the group. */
  offsetCommit: (groupId: string, topics: readonly OnTopics<{ partition: number; offset: number; metadata: string }>[]) =>
    kafkaJsRequest<ClientThrottled & { readonly responses: readonly OnTopics<CodedPartition>[] }>('OffsetCommit', 5, {
      groupId,
      groupGenerationId: -1,
      memberId: '',
      topics,
    }),
  /**
   * Timestamp -2: the log's start. -1: its end, which for read_committed is the last stable offset. Else the first offset
   * whose record is not older, -1 for none.
   */
  listOffsets: (topic: string, partitions: readonly number[], timestamp: number, isolation: 'read_committed' | 'read_uncommitted') =>
    kafkaJsRequest<ListOffsetsResponse>('ListOffsets', 3, {
      isolationLevel: isolation === 'read_committed' ? 1 : 0,
      topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
    }),
  describeConfigs: (kind: 'topic' | 'broker', name: string, configNames: readonly string[]) =>
    kafkaJsRequest<DescribeConfigsResponse>('DescribeConfigs', 2, {
      resources: [{ type: kind === 'topic' ? 2 : 4, name, configNames }],
      includeSynonyms: false,
    }),
};
