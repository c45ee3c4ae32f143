import { CorruptBlobError } from '../../format/blob.ts';
import { BlobMissingError } from '../../ports/blob-store.ts';
import type { ManifestRef, Savepoint, UnreadableSavepoint } from '../../ports/epoch-store.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import type { CoordinatorDeps } from '../coordinator/context.ts';
import { openManifest } from '../decision/read-manifest.ts';
import { isPassing, liveNames } from './retain.ts';

type Reads = Pick<CoordinatorDeps, 'epochs' | 'blobs'>;

/** Names of the blobs that the manifests of these rows need, their own included where they are blobs. */
export async function namesIn(deps: Pick<Reads, 'blobs'>, refs: readonly ManifestRef[], lastCommitted: number): Promise<string[]> {
  const each = refs.map(async (ref) => {
    const own = ref.at === 'blob' ? [ref.name] : [];
    return [...own, ...liveNames(await openManifest(deps, ref), lastCommitted)];
  });
  return (await Promise.all(each)).flat();
}

/** What savepoints keep. */
export interface Pins {
  /** Is this blob kept, or may it be? */
  has(name: string): boolean;
  /** For people, of each savepoint that cannot be read. What it names is not known: as long as there is one, all that savepoints ever name is kept. */
  readonly unreadable: readonly string[];
  /** Another text whenever `has` may give another answer. */
  readonly known: string;
}

/**
 * What the savepoints of a job keep. One that is coming keeps everything of its incarnation, which is its own: its manifest may be the last to
 * come. One that is on its way out keeps nothing. A savepoint is of a COMMITTED epoch, so its output is not needed.
 */
export async function pinsOf(deps: Reads, job: string): Promise<Pins> {
  const kept = await Promise.all((await deps.epochs.listSavepoints(job)).filter(isPin).map((each) => keptBy(deps, each)));
  const names = new Set(kept.flatMap((each) => each.names ?? []));
  const prefixes = kept.flatMap(({ prefix }) => prefix ?? []);
  const unreadable = kept.flatMap(({ unknown }) => unknown ?? []);
  return {
    has: (name) => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix)) || (unreadable.length > 0 && !isPassing(name)),
    unreadable,
    known: JSON.stringify(kept),
  };
}

function isPin({ standing }: Savepoint | UnreadableSavepoint): boolean {
  return standing !== 'deleting';
}

interface Kept {
  readonly names?: readonly string[];
  readonly prefix?: string;
  readonly unknown?: string;
}

async function keptBy(deps: Pick<Reads, 'blobs'>, savepoint: Savepoint | UnreadableSavepoint): Promise<Kept> {
  if (savepoint.standing === 'unreadable') return { unknown: unreadableText(savepoint, savepoint.why) };
  if (savepoint.standing === 'importing') return { prefix: `${savepoint.job}/${savepoint.incarnation}/` };
  return namesOf(deps, savepoint);
}

/** What its manifest names, or why that cannot be read. */
export async function namesOf(
  deps: Pick<Reads, 'blobs'>,
  savepoint: Savepoint,
): Promise<{ readonly names: readonly string[]; readonly unknown?: undefined } | { readonly names?: undefined; readonly unknown: string }> {
  try {
    return { names: await namesIn(deps, [savepoint.manifest], Number.POSITIVE_INFINITY) };
  } catch (error) {
    const isDamaged =
      error instanceof MalformedError ||
      error instanceof BlobMissingError ||
      error instanceof CorruptBlobError ||
      error instanceof SyntaxError;
    if (isDamaged) return { unknown: unreadableText(savepoint, error.message) };
    throw error;
  }
}

function unreadableText({ job, name }: Pick<Savepoint, 'job' | 'name'>, why: string): string {
  return `savepoint ${name} of job ${job} cannot be read, so what it keeps is not known, and no state is deleted while it is there: ${why}. Go back to a build that reads it, or delete it ("Savepoints that cannot be read" in docs/savepoints.md)`;
}
