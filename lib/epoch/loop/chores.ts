/** How often the job row is read for a request to stop, or for a successor. */
export const CONTROL_POLL_MS = 2_000;
const COLLECT_INTERVAL_MS = 10_000;
/** How often is looked for what nobody is going to end. Longer than an epoch of a job that is well has its own open. */
export const OPEN_LOOK_INTERVAL_MS = 30_000;
/** After a refusal (the group has a member of somebody else) an idle job tries again after so long. */
const GROUP_RETRY_MS = 5_000;

/** What a coordinator does beside its epochs. One that fails is said aloud, and done again when it is next due. */
export type Chore =
  | 'read-control'
  | 'collect'
  | 'look-for-open'
  | 'look-for-held-up'
  | 'record-commit'
  | 'sink-facts'
  | 'group-offsets'
  | 'widen-pool'
  | 'record-scale';

/** Chores that are due every so often, by themselves. */
const EVERY_MS = {
  'read-control': CONTROL_POLL_MS,
  collect: COLLECT_INTERVAL_MS,
  'look-for-open': OPEN_LOOK_INTERVAL_MS,
  'look-for-held-up': OPEN_LOOK_INTERVAL_MS,
} as const satisfies Partial<Record<Chore, number>>;

export type RegularChore = keyof typeof EVERY_MS;
const regular = Object.keys(EVERY_MS) as RegularChore[];

export interface Chores {
  readonly underWay: ReadonlySet<Chore>;
  /** When each was last due, by `elapsedMs`. */
  readonly lastMs: Readonly<Record<RegularChore, number>>;
  readonly group: GroupOffsets;
}

/** Input offsets in the consumer group, for lag tools: how far they are. */
export interface GroupOffsets {
  readonly committedEpoch: number;
  readonly triedAtMs: number;
  /** What was refused and said; it is said again when it is something else. */
  readonly said: string | undefined;
}

export function firstChores(nowMs: number): Chores {
  return {
    underWay: new Set(),
    lastMs: { 'read-control': nowMs, collect: nowMs, 'look-for-open': nowMs, 'look-for-held-up': nowMs },
    group: { committedEpoch: -1, triedAtMs: Number.NEGATIVE_INFINITY, said: undefined },
  };
}

/** The regular chores whose time has come. One that is still under way is passed over until it is due again. */
export function dueChores(chores: Chores, nowMs: number): { readonly chores: Chores; readonly due: readonly RegularChore[] } {
  const come = regular.filter((chore) => nowMs >= chores.lastMs[chore] + EVERY_MS[chore]);
  if (come.length === 0) return { chores, due: come };
  const lastMs = { ...chores.lastMs, ...Object.fromEntries(come.map((chore) => [chore, nowMs])) };
  return { chores: { ...chores, lastMs }, due: come.filter((chore) => !chores.underWay.has(chore)) };
}

export function nextChoreAtMs({ lastMs }: Chores): number {
  return Math.min(...regular.map((chore) => lastMs[chore] + EVERY_MS[chore]));
}

export function withBegun(chores: Chores, chore: Chore): Chores {
  return { ...chores, underWay: new Set([...chores.underWay, chore]) };
}

export function withEnded(chores: Chores, chore: Chore): Chores {
  return { ...chores, underWay: new Set([...chores.underWay].filter((other) => other !== chore)) };
}

/** Are the offsets of this epoch still to be committed to the group, and is it time to try? */
export function isGroupDue({ group }: Chores, epoch: number, nowMs: number): boolean {
  return group.committedEpoch < epoch && nowMs >= group.triedAtMs + GROUP_RETRY_MS;
}
