import { byName, ofName } from '../../config/by-name.ts';
import { rangeOfStage, type Subtasks, subtasksOf, within } from '../../config/subtasks.ts';
import type { Stage } from '../../plan/plan.ts';
import type { Parallelism } from '../../protocol/parallelism.ts';

/** With fewer subtasks a stage is to take this share of the checkpoint interval at most, so that they keep up when there is more again. */
const SHARE_WHEN_FEWER = 0.5;
/** More subtasks that did not make the job faster by this much do not help: one key has all the work, say. */
const LEAST_GAIN = 1.1;
/** The first epoch with other numbers reads its state anew, and starts functions: it says nothing of the next. */
const EPOCHS_TO_SETTLE = 1;
/** So many failures in a row with more subtasks than an epoch before had are no accident: there may be no more functions at once, say. */
const FAILURES_OF_TOO_MANY = 3;
/** Epochs with the same numbers behind which what was too many is tried once more: whatever was away may be there again. */
const EPOCHS_UNTIL_TRIED_AGAIN = 100;

/** What is known of an epoch that was committed. */
export interface EpochLoad {
  readonly parallelism: Parallelism;
  /** How long each stage took, in milliseconds. */
  readonly stageMs: ReadonlyMap<string, number>;
  readonly recordsIn: number;
  /** Offsets that were not read by it, at the newest look. */
  readonly recordsBehind: number;
  /** Was there more to read than it took, when it was planned? */
  readonly backlogLeft: boolean;
  /** Each so long after the one before, in milliseconds. */
  readonly cycleMs: number;
  /** By source stage: more subtasks than there are partitions have nothing to read. */
  readonly partitions: ReadonlyMap<string, number>;
}

export interface PolicyRules {
  readonly stages: readonly Pick<Stage, 'id' | 'kind'>[];
  readonly parallelism: Readonly<Record<string, Subtasks>>;
  /** Stages that a person has set are left alone. */
  readonly byHand: ReadonlySet<string>;
  /** A backlog that takes longer at the present rate asks for more. Infinity: nothing does, and the numbers never change. */
  readonly scaleUpBacklogMs: number;
  /** So many epochs in a row have to keep up with fewer before there are fewer. */
  readonly scaleDownEpochs: number;
  readonly checkpointIntervalMs: number;
}

/** What it remembers from one epoch to the next. */
export interface PolicyMemory {
  /** Epochs in a row that had the numbers of now. */
  readonly settled: number;
  /** Of the last epoch. Undefined: it says nothing of how much comes in, because attempts have failed since. */
  readonly recordsBehind: number | undefined;
  /** Records a second before there were more subtasks. Undefined: there have not been more since the job has kept up. */
  readonly rateBefore: number | undefined;
  /** Epochs in a row that have kept up. */
  readonly quiet: number;
  /** By stage: the most that these would have needed. */
  readonly needed: Readonly<Record<string, number>>;
  /** By stage: with so many an attempt ran out of time, and with more an epoch did not. */
  readonly tooFew: Readonly<Record<string, number>>;
  /** By stage: with so many attempts failed, one after the other, and with fewer an epoch did not. Until the job has kept up for long, or had the same numbers for long. */
  readonly tooMany: Readonly<Record<string, number>>;
  /** Attempts in a row that failed with more subtasks than the last committed epoch had. */
  readonly failedWithMore: number;
}

export const NO_MEMORY: PolicyMemory = {
  ...{ settled: 0, recordsBehind: undefined, rateBefore: undefined, quiet: 0, needed: {} },
  ...{ tooFew: {}, tooMany: {}, failedWithMore: 0 },
};

/** A stage that is to have another number. */
export interface Wanted {
  readonly stage: string;
  readonly subtasks: number;
  /** With the figures. */
  readonly why: string;
}

/**
 * How many subtasks the stages of a job are to have, by what its epochs were. Up, when what is left to read, or what an epoch has read, takes
 * longer than it may at the rate of now: as many as take it in that time, beside what comes in meanwhile; of a stage that takes a part of the time of the slowest only that part.
 * Down, when several epochs in a row have kept up, and would have with fewer. Each change is judged by epochs that had it: so nothing is
 * changed twice for one reason.
 *
 * @param target what the next epochs are to have
 */
export function scaleByItself(
  memory: PolicyMemory,
  load: EpochLoad,
  target: Parallelism,
  rules: PolicyRules,
): { readonly memory: PolicyMemory; readonly wanted: readonly Wanted[] } {
  const stages = rules.stages.filter(({ id }) => isFree(id, rules));
  if (stages.length === 0 || rules.scaleUpBacklogMs === Number.POSITIVE_INFINITY) return { memory, wanted: [] };
  const isOfTarget = stages.every(({ id }) => subtasksOf(load.parallelism, id) === subtasksOf(target, id));
  if (!isOfTarget) return { memory: { ...memory, settled: 0, recordsBehind: load.recordsBehind, quiet: 0, needed: {} }, wanted: [] };
  const settled = memory.settled + 1;
  const kept = { ...memory, settled, recordsBehind: load.recordsBehind };
  if (memory.settled < EPOCHS_TO_SETTLE && memory.rateBefore !== undefined) return { memory: kept, wanted: [] };
  const isSlow = load.backlogLeft || slowestOf(load) > rules.scaleUpBacklogMs;
  return isSlow ? up(kept, memory.recordsBehind, load, stages, rules) : down(kept, load, stages, rules);
}

/** An attempt has failed: how long nothing was done for it is no measure of what comes in. */
export function forgetArrivals(memory: PolicyMemory): PolicyMemory {
  return { ...memory, recordsBehind: undefined };
}

/**
 * An attempt ran out of time with fewer subtasks than the last committed epoch had: the state of so many may be too much for one, however little input there
 * is, and then no epoch would ever ask for more. Answers the stages that are to have what they had.
 */
export function afterTooFew(
  memory: PolicyMemory,
  tried: Parallelism,
  committed: Parallelism,
  rules: Pick<PolicyRules, 'stages' | 'parallelism' | 'byHand'>,
): { readonly memory: PolicyMemory; readonly wanted: readonly Wanted[] } {
  const wanted = rules.stages.flatMap(({ id }): Wanted[] => {
    const [fewer, subtasks] = [subtasksOf(tried, id), subtasksOf(committed, id)];
    if (!isFree(id, rules) || fewer >= subtasks) return [];
    return [{ stage: id, subtasks, why: `an epoch with ${fewer} ran out of time, and with ${subtasks} one has not` }];
  });
  const tooFew = wanted.map(({ stage }) => [stage, subtasksOf(tried, stage)] as const);
  return { memory: { ...memory, tooFew: byName([...Object.entries(memory.tooFew), ...tooFew]) }, wanted };
}

/**
 * An attempt has failed, for no record, with more subtasks than the last committed epoch had: when that goes on, nothing would ever be committed that
 * asks for fewer. Answers the stages that are to have what they had.
 */
export function afterTooMany(
  memory: PolicyMemory,
  tried: Parallelism,
  committed: Parallelism,
  rules: Pick<PolicyRules, 'stages' | 'parallelism' | 'byHand'>,
): { readonly memory: PolicyMemory; readonly wanted: readonly Wanted[] } {
  const more = rules.stages.filter(({ id }) => isFree(id, rules) && subtasksOf(tried, id) > subtasksOf(committed, id));
  if (more.length === 0) return { memory, wanted: [] };
  const failedWithMore = memory.failedWithMore + 1;
  if (failedWithMore < FAILURES_OF_TOO_MANY) return { memory: { ...memory, failedWithMore }, wanted: [] };
  const wanted = more.map(({ id }): Wanted => {
    const [many, subtasks] = [subtasksOf(tried, id), subtasksOf(committed, id)];
    return {
      stage: id,
      subtasks,
      why: `${failedWithMore} attempts in a row with ${many} have failed, and with ${subtasks} an epoch has not`,
    };
  });
  const tooMany = more.map(({ id }) => [id, subtasksOf(tried, id)] as const);
  // No epoch has had them: whether more make the job faster is as open as before.
  const before = { ...memory, failedWithMore: 0, rateBefore: undefined };
  return { memory: { ...before, tooMany: byName([...Object.entries(memory.tooMany), ...tooMany]) }, wanted };
}

function slowestOf({ stageMs }: EpochLoad): number {
  return Math.max(...stageMs.values(), 1);
}

function isFree(stage: string, { parallelism, byHand }: Pick<PolicyRules, 'parallelism' | 'byHand'>): boolean {
  const { least, most } = rangeOfStage(parallelism, stage);
  return least < most && !byHand.has(stage);
}

type Judged = readonly Pick<Stage, 'id' | 'kind'>[];

function up(
  memory: PolicyMemory,
  behindBefore: number | undefined,
  load: EpochLoad,
  stages: Judged,
  rules: PolicyRules,
): ReturnType<typeof scaleByItself> {
  const behind = { ...memory, quiet: 0, needed: {} };
  const { recordsIn, recordsBehind, backlogLeft } = load;
  const slowestMs = slowestOf(load);
  const cycleMs = Math.max(load.cycleMs, slowestMs);
  const rate = recordsIn / cycleMs;
  // What took all there was, and took long for it, was a backlog by itself.
  const toDo = backlogLeft ? recordsBehind : Math.max(recordsBehind, recordsIn);
  const takesMs = toDo / rate;
  if (rate === 0 || takesMs <= rules.scaleUpBacklogMs) return { memory: behind, wanted: [] };
  const { rateBefore } = memory;
  if (rateBefore !== undefined && rate < rateBefore * LEAST_GAIN) return { memory: behind, wanted: [] };
  const coming = Math.max(recordsIn + recordsBehind - (behindBefore ?? recordsBehind), 0) / cycleMs;
  const factor = (toDo / rules.scaleUpBacklogMs + coming) / rate;
  const why = `${toDo} records ${toDo === recordsBehind ? 'behind' : 'in one epoch'}, which take ${seconds(takesMs)} at ${Math.round(rate * 1000)} a second: more than ${seconds(rules.scaleUpBacklogMs)}`;
  const wanted = stages.flatMap(({ id }): Wanted[] => {
    const present = subtasksOf(load.parallelism, id);
    const ownMs = load.stageMs.get(id) ?? 0;
    const range = rangeOfStage(rules.parallelism, id);
    const room = Math.min(range.most, mostBelow(present, ofName(memory.tooMany, id), memory.settled));
    const most = Math.max(Math.min(room, load.partitions.get(id) ?? room), range.least);
    const subtasks = within({ ...range, most }, Math.ceil((present * factor * ownMs) / slowestMs));
    return subtasks > present ? [{ stage: id, subtasks, why: `${why}; it took ${Math.round(ownMs)} ms of an epoch` }] : [];
  });
  return wanted.length === 0 ? { memory: behind, wanted } : { memory: { ...behind, settled: 0, rateBefore: rate }, wanted };
}

/** Half of the way to what was too many: each try that comes to nothing costs as many failures. What an epoch has had since is not too many, nor is what was long ago. */
function mostBelow(present: number, tooMany: number | undefined, settled: number): number {
  return tooMany === undefined || tooMany <= present || settled >= EPOCHS_UNTIL_TRIED_AGAIN
    ? Number.POSITIVE_INFINITY
    : Math.floor((present + tooMany) / 2);
}

function down(memory: PolicyMemory, load: EpochLoad, stages: Judged, rules: PolicyRules): ReturnType<typeof scaleByItself> {
  const budgetMs = SHARE_WHEN_FEWER * rules.checkpointIntervalMs;
  const needed = byName(
    stages.map(({ id }) => {
      const present = subtasksOf(load.parallelism, id);
      const now = Math.ceil((present * (load.stageMs.get(id) ?? 0)) / budgetMs);
      return [id, Math.max(now, ofName(memory.needed, id) ?? 1)] as const;
    }),
  );
  const quiet = memory.quiet + 1;
  const kept = { ...memory, quiet, needed, rateBefore: undefined };
  if (quiet < rules.scaleDownEpochs) return { memory: kept, wanted: [] };
  const wanted = stages.flatMap(({ id }): Wanted[] => {
    const present = subtasksOf(load.parallelism, id);
    const least = (ofName(memory.tooFew, id) ?? 0) + 1;
    const subtasks = within(rangeOfStage(rules.parallelism, id), Math.max(ofName(needed, id) ?? present, least));
    const why = `${quiet} epochs in a row have left nothing behind, and so many would have taken at most ${Math.round(budgetMs)} ms of each`;
    return subtasks < present ? [{ stage: id, subtasks, why }] : [];
  });
  return { memory: { ...kept, quiet: 0, needed: {}, tooMany: {}, settled: wanted.length === 0 ? kept.settled : 0 }, wanted };
}

function seconds(ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? 'for ever' : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
