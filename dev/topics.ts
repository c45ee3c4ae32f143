import { UsageError } from '../lib/config/usage-error.ts';
import type { Clock } from '../lib/ports/clock.ts';
import { KafkaProblem, type SourceRequests, type TopicRequests } from '../lib/ports/kafka-requests.ts';

const LEADERS_TIMEOUT_MS = 20_000;
const PROBE_EVERY_MS = 50;

export interface TopicsWanted {
  readonly topics: readonly string[];
  /** Undefined: none is made. */
  readonly makeWith: { readonly partitions: number } | undefined;
}

/**
 * Sees to it that the topics are there. Answers those that were made.
 *
 * @throws UsageError: some are missing, and none is to be made, or the brokers are not there
 */
export async function ensureTopics(
  kafka: SourceRequests & TopicRequests,
  clock: Clock,
  { topics, makeWith }: TopicsWanted,
): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const topic of new Set(topics)) if (!(await isThere(kafka, topic))) missing.push(topic);
  if (missing.length === 0) return [];
  if (makeWith === undefined) {
    const which = missing.length === 1 ? `topic ${missing[0]} is` : `topics ${missing.join(', ')} are`;
    throw new UsageError(`${which} not there: make ${missing.length === 1 ? 'it' : 'them'}, or have it done with --create-topics`);
  }
  for (const topic of missing) await asSetting(kafka.createTopic(topic, makeWith.partitions));
  const deadlineMs = clock.elapsedMs() + LEADERS_TIMEOUT_MS;
  for (const topic of missing) await untilLed(kafka, clock, topic, deadlineMs);
  return missing;
}

async function isThere(kafka: SourceRequests, topic: string): Promise<boolean> {
  try {
    await kafka.partitionCount(topic);
    return true;
  } catch (error) {
    if (error instanceof KafkaProblem && error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
    return asSetting(Promise.reject(error));
  }
}

/** Who starts `dev` has named the brokers: what they do not do is for this person to mend. */
async function asSetting<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof KafkaProblem) throw new UsageError(error.message);
    throw error;
  }
}

/** Not only until metadata name the leaders: one that has not taken over yet refuses what is sent to it. */
async function untilLed(kafka: SourceRequests, clock: Clock, topic: string, deadlineMs: number): Promise<void> {
  for (;;) {
    try {
      const partitions = await partitionsOf(kafka, topic);
      await kafka.offsets(topic, partitions, 'latest');
      return;
    } catch (error) {
      if (!(error instanceof KafkaProblem) || clock.elapsedMs() > deadlineMs) throw error;
    }
    await clock.sleep(PROBE_EVERY_MS);
  }
}

/** The numbers of its partitions. @throws KafkaProblem */
export async function partitionsOf(kafka: SourceRequests, topic: string): Promise<number[]> {
  return Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
}
