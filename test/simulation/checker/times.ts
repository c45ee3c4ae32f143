import type { EventTimeStrategy, JobDefinition, JobNode, SourceNode } from '../../../lib/graph/job.ts';
import type { Time } from '../../../lib/protocol/event-time.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { Partition } from '../models/partition.ts';
import { isKeyed, shapeOf, stageOf } from '../sim-job.ts';
import { own } from './contents.ts';
import type { InputRecord, TimeTold } from './interpreter/epoch.ts';
import { readValue, timestampOf } from './interpreter/values.ts';
import type { Scene } from './scene.ts';

/** What a partition has come to, as the checker sees it. */
interface Part {
  readonly watermark: number | undefined;
  readonly active: number;
}

/** How far the logs of the sources' partitions could be read. */
interface Readable {
  readonly atMs: number;
  /** By source and partition. */
  readonly ends: ReadonlyMap<string, { readonly log: Partition; readonly end: number }>;
}

/** Epochs that a simulated job has in flight at most. */
const MOST_IN_FLIGHT = 3;
/** No broker is behind for so long. */
const BEHIND_MS = 2_500;

/**
 * Event time and processing time, found out from the input alone and held against what was decided (I10). Partitions, sources and
 * stages are looked at together, by other code than the engine's.
 */
export class Times {
  readonly #job: JobDefinition;
  /** By source and partition. */
  readonly #parts = new Map<string, Part>();
  /** By source uid, and by operator uid. */
  readonly #watermarks = new Map<string, number>();
  /** When each epoch was decided: how far the partitions of the sources could be read. */
  readonly #readable: Readable[] = [];
  #processingMs = 0;

  constructor(job: JobDefinition) {
    this.#job = job;
  }

  copy(): Times {
    const copy = new Times(this.#job);
    for (const [name, part] of this.#parts) copy.#parts.set(name, part);
    for (const [name, watermark] of this.#watermarks) copy.#watermarks.set(name, watermark);
    copy.#readable.push(...this.#readable);
    copy.#processingMs = this.#processingMs;
    return copy;
  }

  /** The sources go on in other partitions, of which nothing is known yet. */
  forgetPartitions(): void {
    this.#parts.clear();
  }

  get isUsed(): boolean {
    return this.#job.nodes.some((node) =>
      node.kind === 'source' ? node.eventTime !== undefined : isKeyed(node) && node.time !== undefined,
    );
  }

  /** Takes in an epoch. Answers what each operator works by, by its uid. */
  take(scene: Scene, manifest: Manifest, input: ReadonlyMap<string, readonly InputRecord[]>): ReadonlyMap<string, TimeTold> {
    const { time, epoch } = manifest;
    // Starting offsets are decided without any time.
    if (time === undefined || !this.isUsed) {
      if (this.isUsed && [...input.values()].some((records) => records.length > 0))
        scene.fail('I10', `epoch ${epoch} of a job that uses time has none`);
      return new Map();
    }
    if (time.processingMs < this.#processingMs)
      scene.fail('I10', `processing time goes back in epoch ${epoch}: from ${this.#processingMs} to ${time.processingMs}`);
    const before = new Map(this.#watermarks);
    this.#advance(scene, manifest, time, input);
    this.#check(scene, epoch, time);
    return new Map(
      this.#job.nodes
        .filter(isKeyed)
        .map(({ uid }) => [
          uid,
          { beforeMs: before.get(`operator ${uid}`), afterMs: this.#watermarks.get(`operator ${uid}`), processingMs: time.processingMs },
        ]),
    );
  }

  /** The watermark of an operator. */
  of(uid: string): number | undefined {
    return this.#watermarks.get(`operator ${uid}`);
  }

  /** Where the watermark of an operator will come to without any further input. */
  finally(uid: string): number | undefined {
    return this.#joined(uid, Number.POSITIVE_INFINITY) ?? this.#watermarks.get(`operator ${uid}`);
  }

  #advance(scene: Scene, manifest: Manifest, time: Time, input: ReadonlyMap<string, readonly InputRecord[]>): void {
    const { processingMs } = time;
    const isPlanned = processingMs > this.#processingMs;
    this.#processingMs = processingMs;
    this.#readable.push(readableIn(scene, this.#job));
    const knownByPlan = this.#knownByPlan();
    for (const source of timedSources(this.#job)) {
      const partitions = own(own(manifest.offsets, source.uid), source.topic)?.length ?? 0;
      const known = [...this.#parts.keys()].filter((name) => name.startsWith(`${source.uid} `));
      for (const name of known) if (Number(name.split(' ')[1]) >= partitions) this.#parts.delete(name);
      for (let partition = 0; partition < partitions; partition++) {
        const name = `${source.uid} ${partition}`;
        const records = (input.get(source.uid) ?? []).filter((record) => record.partition === partition);
        const was = this.#parts.get(name);
        const largest = Math.max(was?.watermark ?? Number.NEGATIVE_INFINITY, ...records.map((record) => watermarkOf(source, record)));
        // What the epoch was planned from lies back: where there is more to read now, there may have been then; and where the topic has been
        // made anew since, what there was in the one before.
        const log = scene.broker.partition(source.topic, partition);
        const next = own(own(manifest.offsets, source.uid), source.topic)?.[partition] ?? 0;
        const mayHaveMore =
          log === undefined || log.end > next || hadMoreSince(scene, this.#plannedSinceMs(), { ...source, partition, next });
        const saysMore = own(own(time.sources, source.uid)?.partitions, source.topic)?.[partition]?.activeMs === processingMs;
        const isActive = records.length > 0 || was === undefined || (mayHaveMore && saysMore);
        const known = knownByPlan?.get(name);
        if (isPlanned && !isActive && known !== undefined && known.log === log && known.end > Math.max(next, log.logStart))
          scene.fail(
            'I10',
            `epoch ${manifest.epoch} takes partition ${name} for idle, which has been read to ${next} and had input to ${known.end} before it was planned`,
          );
        this.#parts.set(name, {
          watermark: largest === Number.NEGATIVE_INFINITY ? undefined : largest,
          active: isActive ? processingMs : was.active,
        });
      }
      this.#raise(`source ${source.uid}`, this.#ofSource(source, processingMs));
    }
    for (const { uid } of this.#job.nodes.filter(isKeyed)) this.#raise(`operator ${uid}`, this.#joined(uid, processingMs));
  }

  /** What could be read for a while when the newest epoch was planned: one is planned when no more than two are in flight. */
  #knownByPlan(): Readable['ends'] | undefined {
    const beforeMs = this.#plannedSinceMs();
    return this.#readable.findLast(({ atMs }) => atMs <= beforeMs)?.ends;
  }

  /** What the newest epoch was planned from is not older. */
  #plannedSinceMs(): number {
    return (this.#readable.at(-1 - MOST_IN_FLIGHT)?.atMs ?? Number.NEGATIVE_INFINITY) - BEHIND_MS;
  }

  #raise(name: string, to: number | undefined): void {
    const was = this.#watermarks.get(name);
    if (to !== undefined && (was === undefined || to > was)) this.#watermarks.set(name, to);
  }

  #partsOf({ uid }: SourceNode): Part[] {
    return [...this.#parts].flatMap(([name, part]) => (name.startsWith(`${uid} `) ? [part] : []));
  }

  #isIdle(strategy: EventTimeStrategy, { active }: Part, processingMs: number): boolean {
    return strategy.idleAfterMs !== undefined && processingMs - active >= strategy.idleAfterMs;
  }

  #ofSource(source: SourceNode, processingMs: number): number | undefined {
    const strategy = source.eventTime as EventTimeStrategy;
    const parts = this.#partsOf(source);
    const awake = parts.filter((part) => !this.#isIdle(strategy, part, processingMs));
    const known = (awake.length > 0 ? awake : parts).map(({ watermark }) => watermark);
    if (awake.length > 0) return known.includes(undefined) ? undefined : Math.min(...(known as number[]));
    const some = known.filter((watermark) => watermark !== undefined);
    return some.length === 0 ? undefined : Math.max(...some);
  }

  #joined(uid: string, processingMs: number): number | undefined {
    const sources = sourcesBefore(this.#job, uid);
    if (sources.some(({ eventTime }) => eventTime === undefined)) return undefined;
    const each = sources.map((source) => {
      const isIdle = this.#partsOf(source).every((part) => this.#isIdle(source.eventTime as EventTimeStrategy, part, processingMs));
      const now = this.#ofSource(source, processingMs);
      const was = this.#watermarks.get(`source ${source.uid}`);
      return { isIdle, watermark: Math.max(now ?? Number.NEGATIVE_INFINITY, was ?? Number.NEGATIVE_INFINITY) };
    });
    const awake = each.filter(({ isIdle }) => !isIdle).map(({ watermark }) => watermark);
    const joined = awake.length > 0 ? Math.min(...awake) : Math.max(...each.map(({ watermark }) => watermark));
    return joined === Number.NEGATIVE_INFINITY ? undefined : joined;
  }

  #check(scene: Scene, epoch: number, time: Time): void {
    for (const { uid, topic } of timedSources(this.#job)) {
      const found = own(own(time.sources, uid)?.partitions, topic) ?? [];
      const expected = this.#partsOf({ uid } as SourceNode);
      const [is, should] = [
        found.map(({ watermarkMs, activeMs }) => `${watermarkMs}/${activeMs}`).join(' '),
        expected.map(({ watermark, active }) => `${watermark}/${active}`).join(' '),
      ];
      if (is !== should) scene.fail('I10', `epoch ${epoch}: the partitions of ${uid} have come to ${is}, and should have to ${should}`);
    }
    const stages = new Set(this.#job.nodes.filter(isKeyed).map(({ uid }) => stageOf(this.#job, uid)));
    const gone = Object.keys(time.stages).find((stage) => !stages.has(stage));
    if (gone !== undefined) scene.fail('I10', `epoch ${epoch} has a watermark of stage ${gone}, which there is no more`);
    for (const { uid } of this.#job.nodes.filter(isKeyed)) {
      const [is, should] = [own(time.stages, stageOf(this.#job, uid)), this.#watermarks.get(`operator ${uid}`)];
      if (is !== should) scene.fail('I10', `epoch ${epoch}: the watermark of ${uid} is ${is}, and should be ${should}`);
    }
  }
}

function readableIn({ broker, table }: Scene, job: JobDefinition): Readable {
  const ends = timedSources(job).flatMap(({ uid, topic }) =>
    (broker.topics.get(topic) ?? []).map((log) => [`${uid} ${log.partition}`, { log, end: log.lastStableOffset }] as const),
  );
  return { atMs: table.nowMs, ends: new Map(ends) };
}

/** Has there been, since then, another log of the partition, with more behind this offset? */
function hadMoreSince(
  { broker }: Scene,
  sinceMs: number,
  { topic, partition, next }: { topic: string; partition: number; next: number },
): boolean {
  if (!broker.catalog.wasAbsentSince(topic, sinceMs)) return false;
  return broker.catalog.everyLog().some((log) => log.topic === topic && log.partition === partition && log.end > next);
}

/** What of a record's life the watermark of its partition is. */
function watermarkOf(source: SourceNode, record: InputRecord): number {
  const { maxOutOfOrdernessMs, watermark } = source.eventTime as EventTimeStrategy;
  const value = readValue(source, record);
  const timestamp = timestampOf(source, value, record);
  if (watermark === undefined) return timestamp - maxOutOfOrdernessMs - 1;
  return (watermark(value, timestamp) as number | undefined) ?? Number.NEGATIVE_INFINITY;
}

function timedSources({ nodes }: JobDefinition): SourceNode[] {
  return nodes.filter((node): node is SourceNode => node.kind === 'source' && node.eventTime !== undefined);
}

function sourcesBefore({ nodes }: JobDefinition, uid: string): SourceNode[] {
  const before = (node: JobNode | undefined): SourceNode[] => {
    if (node === undefined) return [];
    // What is broadcast holds no time back.
    if (node.kind === 'broadcast') return [];
    return node.kind === 'source' ? [node] : node.inputs.flatMap((id) => before(nodes[id]));
  };
  const found = before(nodes.find((node) => isKeyed(node) && node.uid === uid));
  return found.filter((source, index) => found.indexOf(source) === index);
}

/** What of the present life still waits for a time that comes by itself. */
export function waitingIn({ job, lives }: Pick<Scene, 'job' | 'lives'>): string | undefined {
  const life = lives.at(-1);
  const last = life?.decided.at(-1)?.manifest;
  if (life === undefined || last === undefined || life.over) return undefined;
  for (const uid of shapeOf(job).operators) {
    const finalMs = life.times.finally(uid);
    for (const { due } of own(last.state, uid) ?? []) {
      if (due?.processingMs !== undefined) return `${uid} has a timer of processing time ${due.processingMs} that has not fired`;
      if (due?.eventMs !== undefined && finalMs !== undefined && due.eventMs <= finalMs)
        return `${uid} has a timer of event time ${due.eventMs} that has not fired, and its watermark comes to ${finalMs} by itself`;
    }
  }
  return undefined;
}
