import { checkBudget } from '../../config/budget.ts';
import { byName } from '../../config/by-name.ts';
import { checkCompatible } from '../../graph/fingerprint.ts';
import type { JobRow } from '../../ports/epoch-store.ts';
import type { SinkTopic } from '../../protocol/requests.ts';
import { isCompacted } from '../../sinks/kafka/compacted-topics.ts';
import { REQUEST_BYTES } from '../../sinks/kafka/send-staged.ts';
import { blobName } from '../../storage/blobs.ts';
import { holderOf } from '../may-start.ts';
import { checkWitness } from './check-witness.ts';
import { type CoordinatorDeps, JobFailedError, type JobSettings, StartRefusedError, sinkStages, sourceStages } from './context.ts';
import { untilAnswered } from './store-retry.ts';

/** Room in a Produce request and the broker's bookkeeping below max.message.bytes. */
const BATCH_MARGIN_BYTES = 1024;
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;
/** Kafka's default of socket.request.max.bytes: a broker ends the connection of whoever sends a larger request. */
const DEFAULT_MAX_REQUEST_BYTES = 104_857_600;
/** Of a Produce request besides its only batch: names, at most. */
const REQUEST_MARGIN_BYTES = 4096;
const MAX_REQUEST = 'socket.request.max.bytes';
/** Kafka's default of transaction.max.timeout.ms. */
export const DEFAULT_MAX_TRANSACTION_TIMEOUT_MS = 900_000;

/**
 * Everything that can be told before the job is touched: do settings, graph, topics, brokers and the blob store go together with
 * each other and with the job's row? Changes nothing but a blob of its own, which it deletes. Answers what it learned of the
 * sinks' topics. Throws `JobFailedError` when a person has to act.
 */
export async function checkStart(
  deps: CoordinatorDeps,
  settings: JobSettings,
  row: JobRow,
  signal: AbortSignal,
): Promise<Readonly<Record<string, SinkTopic>>> {
  checkRow(settings, row);
  await untilAnswered(deps, 'asking how far the job was', () => checkWitness(deps, settings, row), signal);
  const broker = await untilAnswered(
    deps,
    'asking the broker for its settings',
    () => deps.kafka.brokerConfig(['transaction.max.timeout.ms']),
    signal,
  );
  checkTimeBudget(settings, broker);
  const sources = [...new Set(sourceStages(settings).map(({ topic }) => topic))];
  await untilAnswered(
    deps,
    'asking about the source topics',
    () => Promise.all(sources.map((topic) => deps.kafka.partitionCount(topic))),
    signal,
  );
  const sinkTopics = await untilAnswered(deps, 'asking about the sink topics', () => readSinkTopics(deps, settings), signal);
  // A tick, which comes each minute, finds a location that was tried when the job was started.
  if (settings.startKind !== 'revival') await untilAnswered(deps, 'trying the blob store', () => tryBlobStore(deps, row), signal);
  return sinkTopics;
}

/** The same for a start that would take over from a coordinator that is well. Throws `StartRefusedError`: nothing was changed. */
export async function checkTakeover(deps: CoordinatorDeps, settings: JobSettings, row: JobRow, signal: AbortSignal): Promise<void> {
  try {
    await checkStart(deps, settings, row, signal);
  } catch (error) {
    if (!(error instanceof JobFailedError)) throw error;
    throw new StartRefusedError(`${error.message}. Nothing was changed: job ${row.job} runs on, held by ${holderOf(row)}`, {
      cause: error,
    });
  }
}

function checkRow(settings: JobSettings, row: JobRow): void {
  if (row.maxParallelism !== settings.maxParallelism) {
    throw new JobFailedError(
      `ONCEFLOW_MAX_PARALLELISM=${settings.maxParallelism}: job ${row.job} was started with ${row.maxParallelism}, and key groups are fixed for the life of a job: set it back, or start a job of another name`,
    );
  }
  const compatibility = checkCompatible(row.fingerprint, settings.fingerprint);
  if (compatibility.outcome === 'incompatible') {
    throw new JobFailedError(
      `job ${row.job} cannot go on with this graph: ${compatibility.differences.join('; ')}. Give back what was taken away, or start a job of another name`,
    );
  }
}

function checkTimeBudget(settings: JobSettings, broker: ReadonlyMap<string, string>): void {
  const verdict = checkBudget(settings, Number(broker.get('transaction.max.timeout.ms') ?? DEFAULT_MAX_TRANSACTION_TIMEOUT_MS));
  if (!verdict.ok) throw new JobFailedError(verdict.refused);
}

/** What stages have to know of the topics of the sinks. */
export async function readSinkTopics(deps: CoordinatorDeps, settings: JobSettings): Promise<Record<string, SinkTopic>> {
  const topics = [...new Set(sinkStages(settings).map(({ topic }) => topic))];
  const broker = topics.length === 0 ? new Map<string, string>() : await deps.kafka.brokerConfig([MAX_REQUEST]);
  const maxRequestBytes = Number(broker.get(MAX_REQUEST) ?? DEFAULT_MAX_REQUEST_BYTES);
  const least = REQUEST_BYTES + REQUEST_MARGIN_BYTES;
  if (maxRequestBytes < least)
    throw new JobFailedError(
      `the brokers take requests of ${maxRequestBytes} bytes at most (${MAX_REQUEST}), and output is sent in requests of up to ${least}: raise it`,
    );
  const described = await Promise.all(
    topics.map(async (topic): Promise<[string, SinkTopic]> => {
      const [partitions, config] = await Promise.all([
        deps.kafka.partitionCount(topic),
        deps.kafka.topicConfig(topic, ['max.message.bytes', 'cleanup.policy']),
      ]);
      return [
        topic,
        {
          partitions,
          maxBatchBytes: maxBatchBytes(Number(config.get('max.message.bytes') ?? DEFAULT_MAX_MESSAGE_BYTES), maxRequestBytes),
          compacted: isCompacted(config),
        },
      ];
    }),
  );
  return byName(described);
}

/** What a batch for the topic may have: no more than the topic takes, nor than the brokers take in one request. 1 at least: no record fits then. */
export function maxBatchBytes(maxMessageBytes: number, maxRequestBytes: number): number {
  // Of a small limit a small part: there are topics for small records.
  const forTopic = maxMessageBytes - Math.min(BATCH_MARGIN_BYTES, maxMessageBytes >>> 3);
  return Math.max(1, Math.min(forTopic, maxRequestBytes - REQUEST_MARGIN_BYTES));
}

/** Writes a blob, reads it and deletes it. One that a crash leaves is named like an exchange of epoch 0, and collected as that. */
async function tryBlobStore({ blobStore, random }: CoordinatorDeps, { job, incarnation }: JobRow): Promise<void> {
  const name = blobName({ job, incarnation, stage: 'start', subtask: 0, epoch: 0 }, 'exchange', random.id());
  const bytes = Buffer.from('written when the job was started');
  await blobStore.put(name, bytes);
  const read = await blobStore.get(name);
  await blobStore.delete([name]);
  if (!read.equals(bytes)) throw new JobFailedError(`blob ${name} was read back with other content than was written (ONCEFLOW_BLOBS)`);
}
