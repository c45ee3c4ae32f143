import type { JobSettings } from '../coordinator/context.ts';
import { fenced } from '../lease/fenced.ts';
import { type Held, ownRow } from '../lease/held.ts';
import type { RowExpiry } from './expire-rows.ts';
import { forgetIfEmpty } from './former.ts';
import { factsOf, type Listings } from './listings.ts';
import { namesIn, pinsOf } from './live.ts';
import { epochsToRetire, isGarbage } from './retain.ts';

const DELETE_TOGETHER = 500;

/** What is remembered from one collection to the next. */
export interface CollectionTools {
  readonly rows: RowExpiry;
  readonly listings: Listings;
}

/**
 * Deletes what nothing refers to any more (docs/protocol.md), in an order in which a crash or a zombie at any point deletes
 * nothing that is needed: read the job row, mark old manifests RETIRED by a write that only the holder of the generation
 * can make, read the manifests that are left and the savepoints, list the blobs, delete those that none of them names. Before each deletion the
 * savepoints are read once more, and behind them the row: a start from a savepoint that was deleted since is seen by one of the two. Also of
 * incarnations that the job has left for a savepoint. What cannot have any garbage since it was listed last is not listed again.
 */
export async function collectGarbage(held: Held<JobSettings>, { rows, listings }: CollectionTools): Promise<void> {
  const { deps, settings, tenure } = held;
  const { job } = settings;
  const row = ownRow(settings, tenure, await deps.epochs.readJob(job));
  if (row.lastCompleted === undefined) return;
  await rows.catchUp(row.retiredThrough);
  const { lastCommitted } = row;
  const retire = epochsToRetire(row.retiredThrough, lastCommitted, settings.retainedCheckpoints);
  const last = retire.at(-1);
  if (last !== undefined) {
    fenced(settings, await deps.epochs.retireThrough(job, tenure.generation, last));
    await rows.expire(retire);
  }
  const liveRows = await deps.epochs.listEpochs(job, tenure.incarnation, last ?? row.retiredThrough);
  const manifests = liveRows.map(({ manifest }) => manifest);
  const named = new Set(await namesIn(deps, manifests, lastCommitted));
  const pins = await pinsOf(deps, job);
  for (const message of pins.unreadable) deps.observe({ event: 'warning', message });
  const live = { has: (name: string) => named.has(name) || pins.has(name) };
  const facts = { incarnation: tenure.incarnation, lastCompleted: row.lastCompleted.epoch, lastCommitted, live };
  let deleted = 0;
  let garbage: string[] = [];
  const flush = async () => {
    const pinned = await pinsOf(deps, job);
    ownRow(settings, tenure, await deps.epochs.readJob(job));
    const unnamed = garbage.filter((name) => !pinned.has(name));
    await deps.blobStore.delete(unnamed);
    deleted += unnamed.length;
    garbage = [];
  };
  const former = row.former ?? [];
  const listed = new Map<string, string>();
  for (const incarnation of [tenure.incarnation, ...former.map((left) => left.incarnation)]) {
    const prefix = `${job}/${incarnation}/`;
    const progress = incarnation === tenure.incarnation ? [facts.lastCompleted, lastCommitted] : [];
    const known = factsOf({ progress, named: [...named].filter((name) => name.startsWith(prefix)), pins: pins.known });
    if (!listings.isDue(incarnation, known)) continue;
    listed.set(incarnation, known);
    let found = 0;
    for await (const { name } of deps.blobStore.list(prefix)) {
      found++;
      if (isGarbage(name, facts)) garbage.push(name);
      if (garbage.length >= DELETE_TOGETHER) await flush();
    }
    await forgetIfEmpty(
      held,
      former.find((left) => left.incarnation === incarnation),
      found,
    );
  }
  if (garbage.length > 0) await flush();
  for (const [incarnation, known] of listed) listings.done(incarnation, known);
  if (deleted > 0 || retire.length > 0) deps.observe({ event: 'collected', blobs: deleted, retired: retire.length });
}
