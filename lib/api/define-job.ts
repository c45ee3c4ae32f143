import { isName, NAME_RULE } from '../config/names.ts';
import { type JobDefinition, JobDefinitionError } from '../graph/job.ts';
import { compilePlan } from '../plan/compile.ts';
import { stream } from './draft-streams.ts';
import { JobDraft } from './job-draft.ts';
import type { KafkaSource } from './kafka.ts';
import type { DataStream } from './streams.ts';
import type { Uid } from './uid.ts';
import { refuseAsync } from './user-function.ts';
import { expectTopicSerde } from './user-serde.ts';

/** What a job's definition adds its sources to. */
export interface JobBuilder {
  /**
   * Reads a topic. `uid` names the source's offsets: 1 to 60 of a-z 0-9 -, unique in the job.
   *
   * @example
   * job.source('read-lines', kafkaSource({ topic: 'lines', value: utf8 }));
   */
  source<T>(uid: Uid, source: KafkaSource<T>): DataStream<T>;
}

/**
 * Defines a job; `define` adds its sources and what is behind them, and is called once, here. Throws
 * `JobDefinitionError` when the job is not well-formed.
 *
 * @example
 * export default defineJob('upper-case', (job) => {
 *   job
 *     .source('read-lines', kafkaSource({ topic: 'lines', value: utf8 }))
 *     .map((line) => line.toUpperCase())
 *     .sink('write-lines', kafkaSink({ topic: 'upper-lines', value: utf8 }));
 * });
 */
export function defineJob(name: string, define: (job: JobBuilder) => void): JobDefinition {
  const draft = new JobDraft(name);
  checkJobName(name);
  refuseAsync(define, `the definition of job ${name}`);
  define({
    source(given, source) {
      const uid = draft.uidOf(given);
      expectSource(source, `job ${name}: source ${uid}`);
      const { cluster, topic, startingOffsets, key, value, select, eventTime } = source;
      expectTopicSerde(value, `job ${name}: value of source ${uid}`);
      if (key !== undefined) expectTopicSerde(key, `job ${name}: key of source ${uid}`);
      const node = { kind: 'source', uid: draft.claim(uid), cluster, topic, startingOffsets, key, value, select, eventTime } as const;
      return stream(draft, draft.add(node));
    },
  });
  draft.close();
  const job: JobDefinition = { name, nodes: draft.nodes };
  if (job.nodes.length === 0) throw new JobDefinitionError(`job ${name} has no source`);
  draft.checkFormerUids();
  compilePlan(job);
  return job;
}

function expectSource(source: unknown, where: string): void {
  if (typeof source === 'object' && source !== null && 'startingOffsets' in source && source.startingOffsets !== undefined) return;
  throw new JobDefinitionError(`${where} is given what kafkaSource has not made: give it kafkaSource({ topic: 'orders', value: json() })`);
}

function checkJobName(name: string): void {
  if (typeof name === 'string' && isName(name)) return;
  throw new JobDefinitionError(`job ${name}: job name ${JSON.stringify(name)} must be ${NAME_RULE}`);
}
