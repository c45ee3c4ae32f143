import type { KafkaClient } from '../../ports/kafka-checks.ts';
import { KafkaProblem } from '../../ports/kafka-requests.ts';
import { learnTopics } from '../../sinks/kafka/topics.ts';
import type { DoctorDeps } from './deps.ts';
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
  return [...brokers, ...(await looked('topics', () => lookAtAllTopics(deps, row, client))), ...(await tryOut(deps, client))];
}

async function lookAtAllTopics(deps: DoctorDeps, row: Row, kafka: KafkaClient): Promise<readonly Finding[]> {
  const { deadLetterTopic, ...given } = deps.topics;
  const topics = given.ofModule ?? (row === undefined ? undefined : await topicsOfRow(deps, row, deadLetterTopic));
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

async function tryOut(deps: DoctorDeps, kafka: KafkaClient): Promise<readonly Finding[]> {
  if (deps.settings.deliveryGuarantee === 'exactly-once') return looked('transaction', () => tryTransaction(deps, kafka));
  return [unknown('transaction', 'with ONCEFLOW_DELIVERY_GUARANTEE=at-least-once there is none')];
}
