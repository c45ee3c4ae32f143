import type { Pool } from '../../protocol/pool.ts';
import { learnSinks, widestPool } from '../commit/run-sinks.ts';
import { type CollectionTools, collectGarbage } from '../garbage/collect.ts';
import { createRowExpiry } from '../garbage/expire-rows.ts';
import { createListings } from '../garbage/listings.ts';
import { type Held, ownRow, recordCommitted, recordPool, writeHeld } from '../lease/held.ts';
import type { ChoreResult, Effect, LoopEvent } from '../loop/events.ts';
import { lookForHeldUp } from '../planning/look-for-held-up.ts';
import { commitGroupOffsets } from '../progress/group-offsets.ts';
import { createOpenWatch, type OpenWatch } from '../progress/watch-open.ts';
import { type CoordinatorDeps, type JobSettings, SupersededError, type Tenure } from './context.ts';

type ChoreEffect = Extract<Effect, { readonly do: 'chore' }>;
type Chore = ChoreEffect['chore'];

/** What chores remember from one time to the next. */
export interface ChoreTools {
  readonly collection: CollectionTools;
  openWatch: { readonly pool: Pool; readonly watch: OpenWatch };
}

export function createChoreTools(deps: CoordinatorDeps, settings: JobSettings, first: Tenure): ChoreTools {
  const openWatch = { pool: first.pool, watch: createOpenWatch(deps, settings, first) };
  const rows = createRowExpiry(deps, settings.job, first.incarnation);
  return { collection: { rows, listings: createListings(deps.clock) }, openWatch };
}

type Does<C extends Chore> = (
  held: Held<JobSettings>,
  effect: Extract<ChoreEffect, { readonly chore: C }>,
  tools: ChoreTools,
) => Promise<ChoreResult>;

/** What is done for each chore. */
const chores: { readonly [C in Chore]: Does<C> } = {
  async 'read-control'({ deps, settings, tenure }) {
    const { desired, rescale } = ownRow(settings, tenure, await deps.epochs.readJob(settings.job));
    return { outcome: 'read-control', asksToStop: desired === 'stopped', rescale };
  },
  async collect(held, _, { collection }) {
    await collectGarbage(held, collection);
    return { outcome: 'done' };
  },
  'look-for-open': async (held, _, tools) => ({ outcome: 'looked-for-open', found: await openWatchOf(held, tools).look() }),
  async 'look-for-held-up'({ deps, settings }) {
    await lookForHeldUp(deps, settings);
    return { outcome: 'done' };
  },
  'sink-facts': async ({ deps, settings }) => ({ outcome: 'sink-facts', sinkFacts: await learnSinks(deps, settings) }),
  async 'record-commit'(held, { epoch }) {
    await recordCommitted(held, epoch);
    return { outcome: 'recorded-commit', epoch };
  },
  async 'widen-pool'(held, { parallelism }) {
    const { deps, settings, tenure } = held;
    const pool = widestPool(deps, settings, parallelism, tenure.pool);
    await recordPool(held, pool);
    return { outcome: 'widened-pool', parallelism, pool };
  },
  async 'record-scale'(held, { stages }) {
    const { job } = held.settings;
    await writeHeld(held, 'recording the subtasks', (generation) => held.deps.epochs.recordScale(job, generation, stages));
    return { outcome: 'recorded-scale', stages };
  },
  async 'group-offsets'({ deps, settings }, { manifest }) {
    return { outcome: 'group-offsets', epoch: manifest.epoch, refused: await commitGroupOffsets(deps, settings, manifest) };
  },
};

/** A chore that fails ends nothing, unless it found that another coordinator holds the job. */
export async function doChore(held: Held<JobSettings>, effect: ChoreEffect, tools: ChoreTools): Promise<LoopEvent> {
  const { chore } = effect;
  try {
    const work = chores[chore] as Does<Chore>;
    return { of: 'chore', chore, result: await work(held, effect, tools) };
  } catch (error) {
    if (error instanceof SupersededError) throw error;
    return { of: 'chore', chore, result: { outcome: 'failed', message: error instanceof Error ? error.message : String(error) } };
  }
}

/** What is open under the ids of a pool that was widened since is the job's too. */
function openWatchOf({ deps, settings, tenure }: Held<JobSettings>, tools: ChoreTools): OpenWatch {
  if (tools.openWatch.pool !== tenure.pool) tools.openWatch = { pool: tenure.pool, watch: createOpenWatch(deps, settings, tenure) };
  return tools.openWatch.watch;
}
