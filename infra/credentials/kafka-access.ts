import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { topicsRead, topicsWritten } from '../../host/job/topics.ts';
import { clusterOf, nameInCluster } from '../../lib/config/clusters.ts';
import type { FunctionRole } from '../../lib/config/function-names.ts';
import type { ClusterConfig } from '../../lib/config/parameters.ts';
import { allow } from '../allow.ts';
import type { DeploymentSettings } from '../settings.ts';

/** What a role needs to log in to Kafka, and, where IAM decides about Kafka's resources, to use them. */
export interface KafkaAccess {
  readonly statements: readonly PolicyStatement[];
  /** Resources with a wildcard, and why they have one. */
  readonly wildcards: Readonly<Record<string, string>>;
}

const NONE: KafkaAccess = { statements: [], wildcards: {} };

export function kafkaAccess(role: FunctionRole, settings: DeploymentSettings): KafkaAccess {
  // Operators work on state and blobs alone.
  if (role === 'operator') return NONE;
  const { config } = settings;
  const each = [['', config] as const, ...Object.entries(config.kafkaClusters ?? {})].map(([cluster, login]) =>
    accessTo(role, settings, cluster, login),
  );
  return {
    statements: each.flatMap(({ statements }) => statements),
    wildcards: Object.assign({}, ...each.map(({ wildcards }) => wildcards)) as KafkaAccess['wildcards'],
  };
}

type Login = Pick<ClusterConfig, 'kafkaSecretArn' | 'kafkaSecretKeyArn' | 'kafkaClusterArn'>;

function accessTo(role: Exclude<FunctionRole, 'operator'>, settings: DeploymentSettings, cluster: string, login: Login): KafkaAccess {
  const { kafkaSecretArn, kafkaSecretKeyArn, kafkaClusterArn } = login;
  if (kafkaSecretArn !== undefined) return { ...NONE, statements: readSecret(kafkaSecretArn, kafkaSecretKeyArn) };
  if (kafkaClusterArn === undefined) return NONE;
  const { statements, wildcards } = useCluster(role, settings, { cluster, arn: kafkaClusterArn });
  // Nothing is needed on the topics of a cluster that the job only reads, or only writes.
  return { statements: statements.filter(({ resources }) => resources.length > 0), wildcards };
}

function readSecret(secret: string, key: string | undefined): PolicyStatement[] {
  const read = allow(['secretsmanager:GetSecretValue'], [secret]);
  if (key === undefined) return [read];
  const region = secret.split(':')[3];
  // By way of this service only: nothing else that the key encrypts.
  const decrypt = allow(['kms:Decrypt'], [key], { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } });
  return [read, decrypt];
}

/**
 * What the ACLs in docs/configuration.md say, in MSK's words, each role its part. Some actions are there because MSK's documentation asks for
 * them beside another one: AlterGroup for ReadData, WriteData for AlterTransactionalId.
 */
function useCluster(
  role: Exclude<FunctionRole, 'operator'>,
  { config, job }: DeploymentSettings,
  { cluster, arn }: { readonly cluster: string; readonly arn: string },
): KafkaAccess {
  const on = (kind: 'topic' | 'group' | 'transactional-id', name: string) => `${arn.replace(':cluster/', `:${kind}/`)}/${name}`;
  const onTopics = (topics: readonly string[]) => {
    const here = topics.filter((topic) => clusterOf(topic) === cluster).map(nameInCluster);
    return [...new Set(here)].map((topic) => on('topic', topic));
  };
  const inCluster = (...actions: string[]) => allow(kafka('Connect', ...actions), [arn]);
  const group = allow(kafka('AlterGroup', 'DescribeGroup'), [on('group', config.groupId ?? job.name)]);
  const readSources = allow(kafka('DescribeTopic', 'ReadData'), onTopics(topicsRead(job.plan)));
  const transactionalIds = on('transactional-id', `${job.name}-*`);
  const transactions = allow(kafka('AlterTransactionalId', 'DescribeTransactionalId'), [transactionalIds]);
  const idsReason = { [transactionalIds]: "The job's own transactional ids, whose names the engine makes as it goes." };
  switch (role) {
    case 'source':
      return { statements: [inCluster(), readSources, group], wildcards: {} };
    case 'coordinator': {
      const describeSinks = kafka('DescribeTopic', 'DescribeTopicDynamicConfiguration', 'ReadData', 'WriteData');
      return {
        statements: [
          inCluster('DescribeClusterDynamicConfiguration'),
          readSources,
          group,
          allow(describeSinks, onTopics(topicsWritten(job.plan))),
          // It settles what a crash has left open.
          transactions,
        ],
        wildcards: idsReason,
      };
    }
    case 'sink': {
      const markers = on('group', `${job.name}-*`);
      return {
        statements: [
          inCluster(),
          // Reading, because the topic's log shows what became of a transaction.
          allow(kafka('DescribeTopic', 'ReadData', 'WriteData'), onTopics(topicsWritten(job.plan))),
          allow(kafka('DescribeGroup'), [markers]),
          transactions,
        ],
        wildcards: {
          ...idsReason,
          [markers]: 'Commit markers of an epoch that a build before 0.2 decided, in groups named like the transactional ids.',
        },
      };
    }
  }
}

function kafka(...actions: readonly string[]): string[] {
  return actions.map((action) => `kafka-cluster:${action}`);
}
