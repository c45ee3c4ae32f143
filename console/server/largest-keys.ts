import { manifestIn } from '../../lib/inspect/manifest.ts';
import { readStates } from '../../lib/replay/read-state.ts';
import { createBlobs } from '../../lib/storage/blobs.ts';
import type { ConsoleDeps } from './deps.ts';
import { NothingThere } from './outcome.ts';
import { lastEpoch, NO_EPOCH, rowOf } from './rows.ts';

/** The keys that take most room in an operator's state, after the last epoch. */
export interface LargestKeys {
  readonly operator: string;
  readonly epoch: number;
  /** So many entries of states were looked at. */
  readonly entries: number;
  /** Not all were: it is a part of the state, key group by key group. */
  readonly isPart: boolean;
  /** The largest first. */
  readonly keys: readonly LargeKey[];
}

export interface LargeKey {
  /** As JSON. */
  readonly key: string;
  /** Characters of what its states hold, as JSON. */
  readonly characters: number;
}

const SHOWN = 20;
const MOST_ENTRIES = 100_000;
const MOST_MS = 8_000;
const KEY_CHARS = 300;

/** Reads blobs, so it is done when it is asked for; and up to so many entries and so long. */
export async function readLargestKeys(deps: ConsoleDeps, wanted: string | undefined): Promise<LargestKeys> {
  const all = await deps.owners();
  if (all === undefined)
    throw new NothingThere("keys are read by the job's code: start the console with ONCEFLOW_JOB (or --job ./src/job.ts) to see them");
  const owners = all.filter(({ name, key }) => name === wanted && key !== undefined);
  if (wanted === undefined || owners.length === 0)
    throw new NothingThere(`the job's module has no operator ${wanted ?? ''} that keeps state by key`);
  const row = await rowOf(deps);
  const last = await lastEpoch(deps, row);
  if (last === undefined) throw new NothingThere(NO_EPOCH);
  const manifest = await manifestIn(deps, last);
  const blobs = createBlobs(await deps.blobStore(), deps.random);
  const untilMs = deps.clock.elapsedMs() + MOST_MS;
  const sizes = new Map<string, number>();
  let entries = 0;
  let isPart = false;
  for await (const { key, value } of readStates({ blobs, maxParallelism: row.maxParallelism }, owners, manifest, {})) {
    entries++;
    const shown = JSON.stringify(key) ?? 'null';
    const name = shown.length > KEY_CHARS ? `${shown.slice(0, KEY_CHARS)}…` : shown;
    sizes.set(name, (sizes.get(name) ?? 0) + (JSON.stringify(value)?.length ?? 0));
    isPart = entries >= MOST_ENTRIES || deps.clock.elapsedMs() > untilMs;
    if (isPart) break;
  }
  const keys = [...sizes]
    .map(([key, characters]) => ({ key, characters }))
    .toSorted((one, other) => other.characters - one.characters)
    .slice(0, SHOWN);
  return { operator: wanted, epoch: last.epoch, entries, isPart, keys };
}
