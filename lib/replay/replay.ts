import { ofName } from '../config/by-name.ts';
import type { Subtasks } from '../config/subtasks.ts';
import type { Attempt } from '../epoch/attempt/attempt.ts';
import { takesDeadLetters } from '../plan/dead-letters.ts';
import type { PhysicalPlan } from '../plan/plan.ts';
import type { JobRow } from '../ports/epoch-store.ts';
import type { StageFailed, StageStale } from '../protocol/answers.ts';
import type { Position } from '../protocol/manifest.ts';
import { blobsOf } from '../protocol/references.ts';
import type { OutputRow } from '../sinks/output-row.ts';
import { createBlobs } from '../storage/blobs.ts';
import { asThisCode } from './as-this-code.ts';
import { type Again, attemptAgain, type DecidedEpoch, parallelismIn } from './attempt-again.ts';
import { checkInput } from './check-input.ts';
import { compareRows, type OutputDifference } from './compare-output.ts';
import { compareState, type StateDifference } from './compare-state.ts';
import { type Archive, findEpochs, unlessRetired } from './find-epochs.ts';
import { readSinkOf, stagedBy, type Written, writtenBy } from './output-of.ts';
import { ReplayRefusedError } from './refused.ts';
import { openStages, runAgain, type StagesHere, type Surroundings } from './run-again.ts';
import { stateOwners } from './state-of.ts';

/** What came of an epoch that was run again. */
export interface EpochAgain {
  readonly epoch: number;
  readonly outcome: 'equal' | 'different' | 'failed';
  /** Records that were read. */
  readonly recordsIn: number;
  /** Undefined: it did not. */
  readonly failed?: FailedAgain;
  readonly output: readonly SinkAgain[];
  /** Of the last epoch that is run: of others it is not compared. */
  readonly state: readonly StateDifference[];
  /** Is the time at its end what was decided? Watermarks by stage, those that differ. */
  readonly watermarks: readonly { readonly stage: string; readonly decidedMs: number | null; readonly againMs: number | null }[];
}

/** A stage failed: its epoch was decided all the same, by the code of then. */
export interface FailedAgain {
  readonly stage: string;
  readonly kind: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** The record that was worked on, if it is known. */
  readonly record?: { readonly topic: string; readonly partition: number; readonly offset: number } | undefined;
}

export type SinkAgain = { readonly sink: string; readonly again: number } & (
  | (OutputDifference & { readonly compared: true /** Was what was decided read from the log of its topic? */; readonly fromLog: boolean })
  | { readonly compared: false; readonly why: string }
);

/** What is run again, and how much of what differs is shown. */
export interface Replay extends Surroundings {
  readonly archive: Archive;
  readonly row: JobRow;
  /** Subtasks of the stages, where an epoch does not say how many it had. */
  readonly parallelism: Readonly<Record<string, Subtasks>>;
  /** So many keys of each operator. */
  readonly mostKeys: number;
  /** Called when everything is there, before the first stage runs. */
  readonly onReady?: () => void;
}

/**
 * Runs decided epochs again, one after the other: each from where the one before ended, the first from its parent's real snapshots. Nothing
 * is written anywhere. Each is compared with what was decided; after one that fails there is none.
 *
 * @throws ReplayRefusedError when they cannot be run again
 */
export async function* replayEpochs(replay: Replay, first: number, last: number): AsyncGenerator<EpochAgain> {
  const { archive, row, plan } = replay;
  const found = await findEpochs(archive, row, first, last);
  const parent = asThisCode(found.before, replay.job);
  const epochs = found.epochs.map((epoch) => ({ ...epoch, manifest: asThisCode(epoch.manifest, replay.job) }));
  const stages = await openStages(replay);
  let decidedBefore = parent;
  let before: Position = parent;
  let isFirst = true;
  for (const epoch of epochs) {
    const { manifest } = epoch;
    const found = await unlessRetired(archive, row, first - 1, async () => {
      const decided = await readDecided(replay, stages, epoch);
      const again: Again = { plan, parallelism: parallelismIn(manifest, plan, replay.parallelism) };
      const attempt = withCondemned(attemptAgain(epoch, before, decidedBefore, again), plan, decided.letters);
      await checkInput(stages.kafka, plan, attempt, manifest);
      if (isFirst) replay.onReady?.();
      const ran = await runAgain(stages, attempt, before);
      if (ran.outcome === 'failed') return { report: failedReport(manifest.epoch, ran), after: undefined };
      const both = { epoch, decided, attempt: ran.attempt, after: ran.after };
      return { report: await compared(replay, stages, both, manifest.epoch === last), after: ran.after };
    });
    yield found.report;
    if (found.after === undefined) return;
    decidedBefore = manifest;
    before = found.after;
    isFirst = false;
    stages.blobs.keepOnly(storedNames(before));
  }
}

/** What was decided of an epoch. */
interface Decided {
  readonly written: ReadonlyMap<string, Written>;
  /** Of records that it left out. */
  readonly letters: readonly OutputRow[];
}

async function readDecided(replay: Replay, { kafka }: StagesHere, { manifest }: DecidedEpoch): Promise<Decided> {
  const { plan, archive } = replay;
  const sinks = plan.stages.filter((stage) => stage.kind === 'sink');
  const written = new Map<string, Written>();
  for (const sink of sinks) {
    const read = readSinkOf(replay, sink);
    written.set(sink.id, await writtenBy({ blobs: archive.blobs, kafka }, manifest, { id: sink.id, read }));
  }
  for (const [sink, subtasks] of Object.entries(manifest.outputs))
    if (takesDeadLetters(sink) && subtasks.flat().length > 0 && !written.has(sink))
      throw new ReplayRefusedError(
        `epoch ${manifest.epoch} left records out: set ONCEFLOW_POISON_POLICY=dead-letter and ONCEFLOW_DEAD_LETTER_TOPIC as the job has them, so that they can be left out again`,
      );
  const letters = [...written].flatMap(([sink, of]) => (takesDeadLetters(sink) && of.known ? of.rows : []));
  return { written, letters };
}

/** What is left out because it cannot be read is found again; what user code kept failing at is said by its letter. There is one at most. */
function withCondemned(attempt: Attempt, { stages }: PhysicalPlan, letters: readonly OutputRow[]): Attempt {
  const condemned = letters
    .map(({ letter }) => letter)
    .find((letter) => letter !== undefined && !FOUND_AGAIN.includes(letter.reason.errorClass));
  if (condemned === undefined) return attempt;
  const source = stages.find(
    (stage) =>
      stage.kind === 'source' &&
      (ofName(attempt.ranges, stage.id) ?? [])
        .flat()
        .some(
          ({ topic, partition, from, bound }) =>
            topic === condemned.topic && partition === condemned.partition && from <= condemned.offset && condemned.offset < bound,
        ),
  );
  return source === undefined ? attempt : { ...attempt, condemned: { source: source.id, record: condemned } };
}

const FOUND_AGAIN = ['MalformedRecordError', 'MissingValueError', 'BadTimestampError'];

function failedReport(epoch: number, { stage, why }: { readonly stage: string; readonly why: StageFailed | StageStale }): EpochAgain {
  const failed: FailedAgain =
    why.outcome === 'stale'
      ? { stage, kind: 'stale', message: `it runs build ${why.build}` }
      : { stage, kind: why.kind, message: why.message, stack: why.fault?.stack ?? why.stack, record: why.fault?.record };
  return { epoch, outcome: 'failed', recordsIn: 0, failed, output: [], state: [], watermarks: [] };
}

/** An epoch that was decided, and that came through again. */
interface Both {
  readonly epoch: DecidedEpoch;
  readonly decided: Decided;
  readonly attempt: Attempt;
  readonly after: Position;
}

async function compared(replay: Replay, stages: StagesHere, both: Both, isLast: boolean): Promise<EpochAgain> {
  const { plan, random, maxParallelism, archive, mostKeys } = replay;
  const { epoch, decided, attempt, after } = both;
  const { manifest } = epoch;
  const blobs = createBlobs(stages.blobs, random);
  const output: SinkAgain[] = [];
  for (const sink of plan.stages.filter((stage) => stage.kind === 'sink')) {
    const rows = await stagedBy(blobs, attempt, plan, { id: sink.id, read: readSinkOf(replay, sink) });
    const was = decided.written.get(sink.id);
    if (was?.known !== true)
      output.push({ sink: sink.id, again: rows.length, compared: false, why: was?.why ?? 'it is no sink of the epoch' });
    else output.push({ sink: sink.id, compared: true, fromLog: was.fromLog, ...compareRows(was.rows, rows) });
  }
  const processingMs = after.time?.processingMs ?? 0;
  const reading = { maxParallelism, processingMs };
  const one = { read: { ...reading, blobs: archive.blobs }, state: manifest.state };
  const other = { read: { ...reading, blobs }, state: after.state };
  const state: StateDifference[] = [];
  for (const owner of isLast ? stateOwners(replay.job) : []) state.push(await compareState(owner, one, other, mostKeys));
  const watermarks = differingWatermarks(manifest, after);
  const isEqual =
    output.every((sink) => !sink.compared || sink.byKey.length === 0) &&
    state.every(({ differing }) => differing === 0) &&
    watermarks.length === 0;
  const recordsIn = [...attempt.sources.values()].flat().reduce((sum, done) => sum + (done?.recordsIn ?? 0), 0);
  return { epoch: manifest.epoch, outcome: isEqual ? 'equal' : 'different', recordsIn, output, state, watermarks };
}

function differingWatermarks(decided: Position, after: Position): EpochAgain['watermarks'] {
  const stages = new Set([...Object.keys(decided.time?.stages ?? {}), ...Object.keys(after.time?.stages ?? {})]);
  return [...stages].flatMap((stage) => {
    const decidedMs = ofName(decided.time?.stages, stage) ?? null;
    const againMs = ofName(after.time?.stages, stage) ?? null;
    return decidedMs === againMs ? [] : [{ stage, decidedMs, againMs }];
  });
}

/** The blobs that a position's state is in. */
function storedNames({ state }: Position): ReadonlySet<string> {
  const refs = Object.values(state).flat().flatMap(blobsOf);
  return new Set(refs.flatMap((ref) => (ref.at === 'store' ? [ref.name] : [])));
}
