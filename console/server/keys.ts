import { ofName } from '../../lib/config/by-name.ts';
import { manifestIn } from '../../lib/inspect/manifest.ts';
import type { Manifest } from '../../lib/protocol/manifest.ts';
import { type HotKeys, hotKeys } from '../../lib/replay/hot-keys.ts';
import { readStates } from '../../lib/replay/read-state.ts';
import type { StateOwner } from '../../lib/replay/state-of.ts';
import { type Blobs, createBlobs } from '../../lib/storage/blobs.ts';
import type { ConsoleDeps } from './deps.ts';
import { NothingThere } from './outcome.ts';
import { lastEpoch, NO_EPOCH, rowOf } from './rows.ts';

/** The keys of an operator that change most, and those that take most room, after the last epoch. */
export interface KeysShown {
  readonly operator: string;
  readonly epoch: number;
  readonly hottest: Omit<HotKeys, 'keys'> & { readonly keys: readonly CountedKey[] };
  readonly largest: {
    /** So many entries of states were looked at. */
    readonly entries: number;
    /** Not all were: it is a part of the state, key group by key group. */
    readonly isPart: boolean;
    readonly keys: readonly CountedKey[];
  };
}

export interface CountedKey {
  /** As JSON. */
  readonly key: string;
  /** Of the hottest: deltas that it is in. Of the largest: characters of what its states hold, as JSON. */
  readonly count: number;
}

const SHOWN = 20;
const MOST_DELTA_BYTES = 32 * 1024 * 1024;
const MOST_ENTRIES = 100_000;
const MOST_MS = 8_000;
const KEY_CHARS = 300;

/** Reads blobs, so it is done when it is asked for; and up to so many bytes, entries and so long. */
export async function readKeys(deps: ConsoleDeps, wanted: string | undefined): Promise<KeysShown> {
  const all = await deps.owners();
  if (all === undefined)
    throw new NothingThere("keys are read by the job's code: start the console with ONCEFLOW_JOB (or --job ./src/job.ts) to see them");
  const owner = all.find(({ name, key }) => name === wanted && key !== undefined);
  if (owner === undefined) throw new NothingThere(`the job's module has no operator ${wanted ?? ''} that keeps state by key`);
  const row = await rowOf(deps);
  const last = await lastEpoch(deps, row);
  if (last === undefined) throw new NothingThere(NO_EPOCH);
  const manifest = await manifestIn(deps, last);
  const blobs = createBlobs(await deps.blobStore(), deps.random);
  const found = await hotKeys(blobs, owner, ofName(manifest.state, owner.name) ?? [], { mostBytes: MOST_DELTA_BYTES, most: SHOWN });
  const hottest = { ...found, keys: found.keys.map(({ key, deltas }) => ({ key: shown(key), count: deltas })) };
  const largest = await largestOf(deps, { blobs, maxParallelism: row.maxParallelism }, owner, manifest);
  return { operator: owner.operator, epoch: last.epoch, hottest, largest };
}

async function largestOf(
  { clock }: Pick<ConsoleDeps, 'clock'>,
  read: { readonly blobs: Blobs; readonly maxParallelism: number },
  owner: StateOwner,
  manifest: Manifest,
): Promise<KeysShown['largest']> {
  const untilMs = clock.elapsedMs() + MOST_MS;
  const sizes = new Map<string, number>();
  let entries = 0;
  let isPart = false;
  for await (const { key, value } of readStates(read, [owner], manifest, {})) {
    entries++;
    const name = shown(key);
    sizes.set(name, (sizes.get(name) ?? 0) + (JSON.stringify(value)?.length ?? 0));
    isPart = entries >= MOST_ENTRIES || clock.elapsedMs() > untilMs;
    if (isPart) break;
  }
  const keys = [...sizes].map(([key, count]) => ({ key, count }));
  return { entries, isPart, keys: keys.toSorted((one, other) => other.count - one.count).slice(0, SHOWN) };
}

function shown(key: unknown): string {
  const text = JSON.stringify(key) ?? 'null';
  return text.length > KEY_CHARS ? `${text.slice(0, KEY_CHARS)}…` : text;
}
