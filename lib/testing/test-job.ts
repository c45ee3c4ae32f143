import type { DynamoSink } from '../api/dynamo.ts';
import type { FileSink } from '../api/files.ts';
import type { KafkaSink, KafkaSource } from '../api/kafka.ts';
import { expectKnown } from '../api/known-options.ts';
import type { WriteAheadSink } from '../api/write-ahead.ts';
import { type JobDefinition, JobDefinitionError } from '../graph/job.ts';
import type { Stage } from '../plan/plan.ts';
import { DECISION, type SinkBatch } from './epochs.ts';
import { Input, type InputOf, type InputRecord } from './input.ts';
import { type EpochReport, type MemoryJob, newMemoryJob } from './memory-job.ts';
import { readBatch, type WrittenOutput } from './read-output.ts';
import type { Parallelism } from './run.ts';

/** What a job in memory runs with. */
export interface TestOptions {
  /** Subtasks of every stage, or by stage (a source's or sink's uid; of keyed operators the uid of the first behind the keyBy). @default 1 */
  readonly parallelism?: Parallelism;
  /** Key groups, as ONCEFLOW_MAX_PARALLELISM. @default 128 */
  readonly maxParallelism?: number;
  /** Partitions of every topic, or by topic. @default 1 */
  readonly partitions?: number | Readonly<Record<string, number>>;
  /** The processing time at first, in milliseconds since the Unix epoch; from then on it goes as the test says. @default 0 */
  readonly startMs?: number;
}

/** How much of the input an epoch takes. */
export interface EpochOptions {
  /** So many records of all sources together, as even by partition as they are there. @default all that there are */
  readonly maxRecords?: number;
}

/** Where an epoch is lost. */
export interface CrashOptions extends EpochOptions {
  /** Where: before the stage of this source, operator or sink begins, or before the decision, when all of it was done. @default 'decision' */
  readonly before?: string;
  /** Of the coordinator alone: functions stay warm, with what they have of an epoch that never was. @default 'everything' */
  readonly of?: 'everything' | 'coordinator';
}

/** A span of time, or the moment up to which it goes; in milliseconds. */
export type Span = (
  | {
      /** For so long. */
      readonly byMs: number;
      readonly toMs?: undefined;
    }
  | {
      /** Up to this time, since the Unix epoch. */
      readonly toMs: number;
      readonly byMs?: undefined;
    }
) & {
  /**
   * `running`: the job reads what there is, and has each time come in an epoch of its own, as a deployment whose functions take no time.
   * `down`: nothing runs meanwhile; the next epoch sees that it is later.
   * @default 'running'
   */
  readonly job?: 'running' | 'down';
};

const DEFAULT_KEY_GROUPS = 128;

/**
 * Runs a whole job in memory, epoch by epoch, with the engine's own code, for its author's tests. Made by `testJob`. Nothing happens by
 * itself: epochs are cut, and time passes, where the test says so.
 *
 * One call at a time: await each before the next.
 */
export class TestJob {
  readonly #memory: MemoryJob;
  readonly #input: Input;

  constructor(memory: MemoryJob) {
    this.#memory = memory;
    this.#input = new Input(memory.surroundings.compiled.job, memory.surroundings.topics);
  }

  /** The last completed epoch; 0 at first. */
  get epoch(): number {
    return Math.max(0, this.#memory.epochs.length - 1);
  }

  /** Processing time, in milliseconds since the Unix epoch. */
  get nowMs(): number {
    return this.#memory.nowMs;
  }

  /**
   * Writes values to a source's topic, as records without a key.
   *
   * @param to the source as `kafkaSource` gave it, then the compiler knows its values; or its uid, or its topic
   * @example
   * job.push('read-lines', 'hello world', 'hello');
   */
  push<V>(to: KafkaSource<unknown, unknown, V>, ...values: readonly NoInfer<V>[]): void;
  push(to: string, ...values: readonly unknown[]): void;
  push(to: InputOf, ...values: readonly unknown[]): void {
    this.pushRecords(to as string, ...values.map((value) => ({ value })));
  }

  /**
   * Writes records to a source's topic. Throws what the source's serdes throw: nothing of that record is written.
   *
   * @param to as of `push`
   * @example
   * job.pushRecords('read-users', { key: 'u1', value: undefined, partition: 2 });
   */
  pushRecords<K, V>(to: KafkaSource<unknown, K, V>, ...records: readonly InputRecord<NoInfer<K>, NoInfer<V>>[]): void;
  pushRecords(to: string, ...records: readonly InputRecord<unknown, unknown>[]): void;
  pushRecords(to: InputOf, ...records: readonly InputRecord<unknown, unknown>[]): void {
    this.#input.write(to, records, this.nowMs);
  }

  /**
   * Runs one epoch: over the input that there is, or without any when a time has come that something waits for. Undefined: there is nothing
   * to do.
   *
   * @throws UserCodeError when a function of the job throws, with the record that it fails at. State, output and offsets are as before.
   * @throws EpochFailedError when a record cannot be read, or `onTimer` throws; then too
   * @example
   * await job.runEpoch({ maxRecords: 1 });
   */
  async runEpoch({ maxRecords = Number.POSITIVE_INFINITY }: EpochOptions = {}): Promise<EpochReport | undefined> {
    if (!(maxRecords >= 1)) throw new RangeError(`maxRecords is ${maxRecords}, and must be 1 or more`);
    return this.#memory.alone((job) => job.runEpoch(maxRecords));
  }

  /**
   * Runs epochs until there is nothing to do, and answers which. Throws as `runEpoch`.
   *
   * @param options of each of them
   * @example
   * await job.runUntilIdle();
   */
  async runUntilIdle({ maxRecords = Number.POSITIVE_INFINITY }: EpochOptions = {}): Promise<readonly EpochReport[]> {
    return this.#memory.alone((job) => job.runUntilIdle(maxRecords));
  }

  /**
   * Moves the event time of a source on, in an epoch without input: as if every partition had brought a record with this watermark of which
   * nothing became. What waits for a watermark sees the least of all its sources.
   *
   * @param source uid of a source that has event time
   * @example
   * await job.advanceWatermark('read-bids', 60_000);
   */
  async advanceWatermark(source: string, toMs: number): Promise<EpochReport> {
    const { compiled, topics } = this.#memory.surroundings;
    const stage = compiled.plan.stages.find((each) => each.kind === 'source' && each.id === source);
    if (stage?.kind !== 'source' || stage.eventTime === undefined)
      throw new JobDefinitionError(`the job has no source ${source} that has event time (kafkaSource({ …, eventTime }))`);
    if (!Number.isSafeInteger(toMs)) throw new RangeError(`a watermark is whole milliseconds, and not ${toMs}`);
    const { topic } = stage;
    const partitions = Array.from({ length: topics.partitions(topic) }, (_, partition) => ({
      topic,
      partition,
      watermarkMs: toMs,
    }));
    return this.#memory.alone((job) => job.runEmptyEpoch({ source, partitions }));
  }

  /**
   * Lets processing time pass. Answers which epochs ran meanwhile; throws as `runEpoch`.
   *
   * @example
   * await job.advanceProcessingTime({ byMs: 10_000 });
   */
  async advanceProcessingTime({ byMs = 0, toMs = this.nowMs + byMs, job = 'running' }: Span): Promise<readonly EpochReport[]> {
    if (!Number.isSafeInteger(toMs) || toMs < this.nowMs)
      throw new RangeError(`processing time is ${this.nowMs} and goes forward by whole milliseconds: it cannot become ${toMs}`);
    return this.#memory.alone((memory) => memory.goTo(toMs, job));
  }

  /**
   * What a sink has written so far; by epoch, then sink subtask, then in the order in which it was. Of a sink that does not write to Kafka,
   * the rows that it was given: they are formatted for it, and brought nowhere.
   *
   * @param sink as `kafkaSink` or another gave it, then what all streams write to it that end there; or the uid of one
   * @example
   * expect(job.output('write-counts')).toMatchObject([{ value: 'hello: 1', timestamp: 0 }]);
   */
  output<K, V>(sink: KafkaSink<never, K, V>): readonly WrittenOutput<K, V>[];
  output<T>(sink: RowSink<T>): readonly WrittenOutput<never, T>[];
  output(sink: string): readonly WrittenOutput[];
  output(sink: string | KafkaSink<never> | RowSink<never>): readonly WrittenOutput[] {
    const { sinks, compiled } = this.#memory.surroundings;
    const all = compiled.job.nodes.filter((each) => each.kind === 'sink');
    // One sink may be written by several streams.
    const written = all.filter(({ uid }) => (typeof sink === 'string' ? uid === sink : sinks.get(sink)?.includes(uid)));
    const [node] = written;
    if (node === undefined)
      throw new JobDefinitionError(`the job has no sink ${describeSought(sink)}; it has ${all.map(({ uid }) => uid).join(', ')}`);
    const uids = written.map(({ uid }) => uid);
    // All of them are, in a job in memory.
    const topics = node.to.kind === 'kafka' ? node.to.topics : [];
    const serdesOf = ({ topic }: SinkBatch) => topics.find((each) => each.topic === topic) ?? { key: undefined, value: undefined };
    return this.#memory.epochs.flatMap(({ output }) =>
      output.filter((batch) => uids.includes(batch.sink)).flatMap((batch) => readBatch(batch, serdesOf(batch))),
    );
  }

  /**
   * The values of `output`.
   *
   * @example
   * expect(job.values('write-counts')).toEqual(['hello: 1']);
   */
  values<V>(sink: KafkaSink<never, unknown, V>): readonly (V | undefined)[];
  values<T>(sink: RowSink<T>): readonly T[];
  values(sink: string): readonly unknown[];
  values(sink: string | KafkaSink<never> | RowSink<never>): readonly unknown[] {
    return this.output(sink as string).map(({ value }) => value);
  }

  /**
   * What the states of a keyed operator hold of a key, by name, as its last snapshots have it: a value, of a list an array, of a map a Map, of
   * what aggregates its accumulator. What was never set, or has expired by now, is what the key would read.
   *
   * @example
   * expect(await job.state('count-words', 'hello')).toEqual({ count: 1 });
   */
  async state(operator: string, key: unknown): Promise<Readonly<Record<string, unknown>>> {
    const held = await this.#memory.alone((job) => job.state(operator, key));
    return Object.fromEntries(Object.entries(held).filter(([name]) => !name.startsWith('@')));
  }

  /**
   * The same of the broadcast state of an operator, which all its keys have in common.
   *
   * @example
   * expect(await job.broadcastState('check')).toEqual({ limit: new Map([['NO', 500]]) });
   */
  async broadcastState(operator: string): Promise<Readonly<Record<string, unknown>>> {
    return { ...(await this.#memory.alone((job) => job.broadcastState(operator))) };
  }

  /**
   * The times of a key's timers, ascending.
   *
   * @example
   * expect(await job.timers('overdue', 'order 1')).toEqual({ event: [86_400_000], processing: [] });
   */
  async timers(operator: string, key: unknown): Promise<{ readonly event: readonly number[]; readonly processing: readonly number[] }> {
    const held = (await this.#memory.alone((job) => job.state(operator, key)))['@timers'];
    return held === undefined ? { event: [], processing: [] } : (held as { event: number[]; processing: number[] });
  }

  /**
   * The next epoch is worked on, and lost in a crash: no output and no state comes of it, and the next `runEpoch` starts from the last
   * completed one. What its functions throw is lost too.
   *
   * @example
   * await job.crash({ before: 'write-counts' });
   */
  async crash({ before = DECISION, of = 'everything', maxRecords = Number.POSITIVE_INFINITY }: CrashOptions = {}): Promise<void> {
    const { stages } = this.#memory.surroundings.compiled.plan;
    const place = before === DECISION ? before : stages.find((stage) => uidsIn(stage).includes(before))?.id;
    if (place === undefined)
      throw new RangeError(`there is no ${before} to crash before: there are ${[DECISION, ...stages.flatMap(uidsIn)].join(', ')}`);
    await this.#memory.alone((job) => job.crash(place, of, maxRecords));
  }

  /**
   * Stops the processes, and starts new ones from the last snapshots.
   *
   * @param options `parallelism` @default as before
   * @example
   * job.restore({ parallelism: 3 });
   */
  restore({ parallelism = this.#memory.parallelism }: { readonly parallelism?: Parallelism } = {}): void {
    this.#memory.restart(parallelism);
  }

  /**
   * Another one of the same job, which goes on from a completed epoch: with the state, the offsets and the output of then, the input and the
   * processing time of now. What is done to one of them the other does not see. With `job` it is another build of it, as after an update: what it renames and migrates goes on with
   * what there is.
   *
   * @param options `epoch` @default the last; `parallelism` @default as of this, and 1 of another build; `job` @default the same build
   * @throws JobDefinitionError when a start with that build would be refused, with the reason
   * @example
   * const other = job.fork({ epoch: 2 });
   * @example
   * const upgraded = job.fork({ job: wordCount });
   */
  fork({
    epoch = this.epoch,
    job,
    parallelism = job === undefined ? this.#memory.parallelism : 1,
  }: {
    readonly epoch?: number;
    readonly job?: JobDefinition;
    readonly parallelism?: Parallelism;
  } = {}): TestJob {
    if (!Number.isInteger(epoch) || epoch < 0 || epoch > this.epoch)
      throw new RangeError(`there is no epoch ${epoch}: the last is ${this.epoch}`);
    return new TestJob(this.#memory.fork(epoch, job, parallelism));
  }
}

/** A sink that does not write to Kafka. */
type RowSink<T> = WriteAheadSink<T> | FileSink<T> | DynamoSink<T>;

function describeSought(sink: string | KafkaSink<never> | RowSink<never>): string {
  if (typeof sink === 'string') return sink;
  return sink.kind === 'kafka' ? `to ${sink.topics.map(({ topic }) => topic).join(', ')}` : `of this kind (${sink.kind})`;
}

/**
 * A job in memory, for unit tests of it: no broker, no cloud, no waiting. Its topics are empty, and read from their beginning whatever the
 * sources' `startingOffsets` are.
 *
 * @example
 * const job = testJob(wordCount);
 * job.push('read-lines', 'hello world hello');
 * await job.runUntilIdle();
 * expect(job.values('write-counts')).toEqual(['hello:::1', 'world:::1', 'hello:::2']);
 */
export function testJob(job: JobDefinition, options: TestOptions = {}): TestJob {
  expectKnown<TestOptions>(options, { parallelism: true, maxParallelism: true, partitions: true, startMs: true }, 'testJob');
  const { parallelism = 1, maxParallelism = DEFAULT_KEY_GROUPS, partitions = 1, startMs = 0 } = options;
  if (!Number.isSafeInteger(startMs) || startMs < 0)
    throw new RangeError(`startMs is ${startMs}, and must be whole milliseconds, 0 or more`);
  const byTopic = new Map(typeof partitions === 'number' ? [] : Object.entries(partitions));
  const partitionsOf = (topic: string) => (typeof partitions === 'number' ? partitions : (byTopic.get(topic) ?? 1));
  return new TestJob(newMemoryJob(job, { parallelism, maxParallelism, partitionsOf, startMs }));
}

function uidsIn(stage: Stage): readonly string[] {
  return stage.kind === 'operator' ? stage.operators : [stage.id];
}
