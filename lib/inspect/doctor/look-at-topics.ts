import type { KafkaClient, Right, TopicDescription } from '../../ports/kafka-checks.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import { isCompacted } from '../../sinks/kafka/compacted-topics.ts';
import type { JobTopics } from './deps.ts';
import { type Finding, looked, unknown, warning, well, wrong } from './finding.ts';
import { plainDuration } from './plain-duration.ts';

type Role = 'source' | 'sink' | 'dead letters';

const UNCLEAN = 'unclean.leader.election.enable';
const MIN_IN_SYNC = 'min.insync.replicas';
const RETENTION = 'retention.ms';
const POLICY = 'cleanup.policy';
const LEAST_RETENTION_MS = 3_600_000;

/** What the job needs on topics of each role, besides Describe, which these imply. */
const NEEDED: Readonly<Record<Role, readonly Right[]>> = {
  source: ['Read'],
  sink: ['Read', 'Write', 'DescribeConfigs'],
  'dead letters': ['Read', 'Write', 'DescribeConfigs'],
};

/** Are the topics there, with the settings and the rights that the job needs? */
export async function lookAtTopics({ sources, sinks, deadLetters }: JobTopics, kafka: KafkaClient): Promise<readonly Finding[]> {
  const roles: readonly (readonly [topic: string, role: Role])[] = [
    ...[...new Set(sources)].map((topic) => [topic, 'source'] as const),
    ...[...new Set(sinks)].map((topic) => [topic, 'sink'] as const),
    ...(deadLetters === undefined ? [] : [[deadLetters, 'dead letters'] as const]),
  ];
  if (roles.length === 0) return [];
  const described = await kafka.describeTopics(roles.map(([topic]) => topic));
  const each = await Promise.all(
    roles.map(async ([topic, role], at) => {
      const found = described[at];
      return found === undefined ? [] : looked(nameOf(topic, role), () => lookAtTopic(kafka, role, found));
    }),
  );
  return each.flat();
}

function nameOf(topic: string, role: Role): string {
  return `topic ${topic} (${role})`;
}

async function lookAtTopic(kafka: KafkaClient, role: Role, topic: TopicDescription): Promise<readonly Finding[]> {
  const what = nameOf(topic.topic, role);
  if (topic.answer === 'TOPIC_AUTHORIZATION_FAILED')
    return [wrong(what, 'it may not be seen, or is not there', `create it, or grant ${NEEDED[role].join(', ')} on topic ${topic.topic}`)];
  if (topic.answer === 'UNKNOWN_TOPIC_OR_PARTITION')
    return [
      wrong(what, 'it does not exist', 'create it, or correct its name (ONCEFLOW_TOPICS, ONCEFLOW_DEAD_LETTER_TOPIC) or ONCEFLOW_BROKERS'),
    ];
  if (topic.answer !== 'NONE') return [wrong(what, `its metadata was answered ${topic.answer}`, 'look at the brokers')];
  return [...partitionFindings(what, topic), rightsFinding(what, role, topic), ...(await settingFindings(what, role, topic, kafka))];
}

function partitionFindings(what: string, { partitions }: TopicDescription): Finding[] {
  const numbersOf = (is: (partition: (typeof partitions)[number]) => boolean) =>
    partitions.flatMap((partition, number) => (is(partition) ? [number] : [])).join(', ');
  const leaderless = numbersOf(({ leader }) => leader < 0);
  if (leaderless !== '') return [wrong(what, `partition ${leaderless} has no leader`, 'start the brokers that keep it')];
  const behind = numbersOf(({ replicas, inSync }) => inSync < replicas);
  if (behind !== '') return [warning(what, `not all replicas of partition ${behind} are in sync`, 'look at the brokers that keep them')];
  return [
    well(
      what,
      `${partitions.length} partition${partitions.length === 1 ? '' : 's'}, each with a leader, replicas: ${leastReplicas(partitions)}`,
    ),
  ];
}

function leastReplicas(partitions: TopicDescription['partitions']): number {
  return Math.min(...partitions.map(({ replicas }) => replicas));
}

function rightsFinding(what: string, role: Role, { topic, rights }: TopicDescription): Finding {
  if (rights === undefined) return unknown(`rights on ${what}`, 'the brokers do not say');
  const missing = NEEDED[role].filter((right) => !rights.has(right)).join(', ');
  if (missing === '') return well(`rights on ${what}`, NEEDED[role].join(', '));
  return wrong(`rights on ${what}`, `${missing} is missing`, `grant ${missing} on topic ${topic}`);
}

async function settingFindings(what: string, role: Role, topic: TopicDescription, kafka: KafkaClient): Promise<Finding[]> {
  const config = await configOf(kafka, topic.topic);
  // A job may read a topic without knowing its settings.
  if (config === undefined) return [unknown(`settings of ${what}`, 'DescribeConfigs on it is missing')];
  const found = [UNCLEAN, MIN_IN_SYNC, POLICY, RETENTION].map((name) => `${name}=${config.get(name) ?? '?'}`).join(', ');
  const faults = [uncleanFault(config), role === 'source' ? undefined : minInSyncFault(config, topic), retentionFault(role, config)].filter(
    (fault) => fault !== undefined,
  );
  if (faults.length === 0) return [well(`settings of ${what}`, found)];
  return faults.map(({ is, why, mend }) => ({ what: `settings of ${what}`, is, found: why, mend }));
}

async function configOf(kafka: KafkaClient, topic: string): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    return await kafka.topicConfig(topic, [UNCLEAN, MIN_IN_SYNC, POLICY, RETENTION]);
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'TOPIC_AUTHORIZATION_FAILED') return undefined;
    throw error;
  }
}

interface Fault {
  readonly is: 'wrong' | 'warning';
  readonly why: string;
  readonly mend: string;
}

function uncleanFault(config: ReadonlyMap<string, string>): Fault | undefined {
  if (config.get(UNCLEAN) !== 'true') return undefined;
  return {
    is: 'wrong',
    why: `${UNCLEAN}=true: a broker that was behind may become leader, and what was acknowledged is lost`,
    mend: `set ${UNCLEAN}=false`,
  };
}

function minInSyncFault(config: ReadonlyMap<string, string>, { partitions }: TopicDescription): Fault | undefined {
  const least = Number(config.get(MIN_IN_SYNC) ?? 1);
  const replicas = leastReplicas(partitions);
  if (least > replicas)
    return {
      is: 'wrong',
      why: `${MIN_IN_SYNC}=${least}, and a partition has ${replicas} replica${replicas === 1 ? '' : 's'}: nothing can be written`,
      mend: `give it more replicas, or set ${MIN_IN_SYNC}=${replicas}`,
    };
  if (least >= 2) return undefined;
  const mend = `give it three replicas, and set ${MIN_IN_SYNC}=2`;
  if (replicas === 1) return { is: 'warning', why: 'a partition has one replica: good for a machine of your own', mend };
  return { is: 'wrong', why: `${MIN_IN_SYNC}=${least}: what one broker acknowledged is lost with it`, mend };
}

function retentionFault(role: Role, config: ReadonlyMap<string, string>): Fault | undefined {
  const retentionMs = Number(config.get(RETENTION) ?? -1);
  const deletes = !isCompacted(config) || (config.get(POLICY) ?? '').includes('delete');
  if (!deletes || retentionMs < 0 || retentionMs >= LEAST_RETENTION_MS) return undefined;
  const what =
    role === 'source'
      ? 'a job that rests for longer misses records'
      : 'a job that is dead for longer between a decision and its commit cannot tell any more whether it was committed';
  return { is: 'warning', why: `${RETENTION}=${retentionMs} (${plainDuration(retentionMs)}): ${what}`, mend: `raise ${RETENTION}` };
}
