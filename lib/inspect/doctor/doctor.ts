import { clusterOf } from '../../config/clusters.ts';
import type { KafkaClient } from '../../ports/kafka-checks.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import { learnTopics } from '../../sinks/kafka/topics.ts';
import type { DoctorDeps, JobTopics } from './deps.ts';
import { type Finding, looked, unknown, wrong } from './finding.ts';
import { lookAtBrokers } from './look-at-brokers.ts';
import { lookAtBlobs, lookAtTable } from './look-at-stores.ts';
import { lookAtTopics } from './look-at-topics.ts';
import { topicsOfRow } from './topics-of-row.ts';
import { tryTransaction } from './try-transaction.ts';

/** Looks at all that a job needs around it. Changes nothing of the job. */
export async function examine(deps: DoctorDeps): Promise<readonly Finding[]> {
  const reading = deps.epochs.readJob(deps.job);
  // What it fails with is what is found of the table.
  const row = await reading.catch(() => undefined);
  const [kafka, table, blobs] = await Promise.all([
    lookAtKafka(deps, row),
    looked('table', async () => {
      await reading;
      return lookAtTable(deps, row);
    }),
    looked('blobs', () => lookAtBlobs(deps, row)),
  ]);
  return [...kafka, ...table, ...blobs];
}

type Row = Awaited<ReturnType<DoctorDeps['epochs']['readJob']>>;

/** Where no broker can be spoken to, all else would say the same once more. */
async function lookAtKafka(deps: DoctorDeps, row: Row): Promise<readonly Finding[]> {
  let kafka: KafkaClient | undefined;
  const brokers = await looked('brokers', async () => {
    const opened = await deps.kafka();
    const found = await lookAtBrokers(deps, opened);
    kafka = opened;
    return found;
  });
  if (kafka === undefined) return brokers;
  const client = kafka;
  const topics = await topicsOf(deps, row);
  const named = [...new Set(allOf(topics).map(clusterOf))].filter((cluster) => cluster !== '');
  const others = await Promise.all(named.map((cluster) => lookAtCluster(deps, client, cluster, topics)));
  return [
    ...brokers,
    ...(await looked('topics', () => lookAtAllTopics(topics, client))),
    ...(await tryOut(deps, client, '')),
    ...others.flat(),
  ];
}

/** A cluster that has a name: its brokers, and, where the job writes there, a transaction. What is found says of which it is. */
async function lookAtCluster(
  deps: DoctorDeps,
  kafka: KafkaClient,
  cluster: string,
  topics: JobTopics | undefined,
): Promise<readonly Finding[]> {
  const brokers = await looked('brokers', () => lookAtBrokers(deps, kafka, cluster));
  const writes = topics?.sinks.some((topic) => clusterOf(topic) === cluster) === true;
  const tried = writes && !brokers.some(({ is }) => is === 'wrong') ? await tryOut(deps, kafka, cluster) : [];
  return [...brokers, ...tried].map((finding) => ({ ...finding, what: `cluster ${cluster}: ${finding.what}` }));
}

function allOf(topics: JobTopics | undefined): readonly string[] {
  return topics === undefined ? [] : [...topics.sources, ...topics.sinks];
}

/** Undefined: neither the module nor the row names any. */
async function topicsOf(deps: DoctorDeps, row: Row): Promise<JobTopics | undefined> {
  const { deadLetterTopic, ofModule } = deps.topics;
  return ofModule ?? (row === undefined ? undefined : topicsOfRow(deps, row, deadLetterTopic));
}

async function lookAtAllTopics(topics: JobTopics | undefined, kafka: KafkaClient): Promise<readonly Finding[]> {
  if (topics === undefined) return [unknown('topics', 'the job has no row that names them', 'set ONCEFLOW_JOB to its module')];
  const { sinks, deadLetters } = topics;
  return [
    ...(await lookAtTopics(topics, kafka)),
    ...(await lookAtRequests(kafka, deadLetters === undefined ? sinks : [...sinks, deadLetters])),
  ];
}

/** What else a start refuses of the brokers and the topics of its sinks. That one is missing is told already. */
async function lookAtRequests(kafka: KafkaClient, sinks: readonly string[]): Promise<readonly Finding[]> {
  try {
    const learnt = await learnTopics(
      kafka,
      sinks.map((topic) => ({ sink: topic, target: { kind: 'kafka', topics: [topic] } })),
    );
    return learnt.outcome === 'refused' ? [wrong('requests', learnt.message)] : [];
  } catch (error) {
    if (error instanceof KafkaProblem) return [];
    throw error;
  }
}

async function tryOut(deps: DoctorDeps, kafka: KafkaClient, cluster: string): Promise<readonly Finding[]> {
  if (deps.settings.deliveryGuarantee === 'exactly-once') return looked('transaction', () => tryTransaction(deps, kafka, cluster));
  return [unknown('transaction', 'with ONCEFLOW_DELIVERY_GUARANTEE=at-least-once there is none')];
}
