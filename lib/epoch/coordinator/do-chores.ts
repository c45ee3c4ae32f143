import { learnSinks } from '../commit/run-sinks.ts';
import { collectGarbage } from '../garbage/collect.ts';
import { createRowExpiry, type RowExpiry } from '../garbage/expire-rows.ts';
import { type Held, ownRow, recordCommitted } from '../lease/held.ts';
import type { ChoreResult, Effect, LoopEvent } from '../loop/events.ts';
import { lookForHeldUp } from '../planning/look-for-held-up.ts';
import { commitGroupOffsets } from '../progress/group-offsets.ts';
import { createOpenWatch, type OpenWatch } from '../progress/watch-open.ts';
import { type CoordinatorDeps, type JobSettings, SupersededError, type Tenure } from './context.ts';

type ChoreEffect = Extract<Effect, { readonly do: 'chore' }>;
type Chore = ChoreEffect['chore'];

/** What chores remember from one time to the next. */
export interface ChoreTools {
  readonly rows: RowExpiry;
  readonly openWatch: OpenWatch;
}

export function createChoreTools(deps: CoordinatorDeps, settings: JobSettings, first: Tenure): ChoreTools {
  return { rows: createRowExpiry(deps, settings.job, first.incarnation), openWatch: createOpenWatch(deps, settings, first) };
}

type Does<C extends Chore> = (
  held: Held<JobSettings>,
  effect: Extract<ChoreEffect, { readonly chore: C }>,
  tools: ChoreTools,
) => Promise<ChoreResult>;

/** What is done for each chore. */
const chores: { readonly [C in Chore]: Does<C> } = {
  'read-control': async (held) => ({ outcome: 'read-control', asksToStop: await asksToStop(held) }),
  async collect(held, _, { rows }) {
    await collectGarbage(held, rows);
    return { outcome: 'done' };
  },
  'look-for-open': async (_held, _, { openWatch }) => ({ outcome: 'looked-for-open', found: await openWatch.look() }),
  async 'look-for-held-up'({ deps, settings }) {
    await lookForHeldUp(deps, settings);
    return { outcome: 'done' };
  },
  'sink-facts': async ({ deps, settings }) => ({ outcome: 'sink-facts', sinkFacts: await learnSinks(deps, settings) }),
  async 'record-commit'(held, { epoch }) {
    await recordCommitted(held, epoch);
    return { outcome: 'recorded-commit', epoch };
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

async function asksToStop({ deps, settings, tenure }: Held<JobSettings>): Promise<boolean> {
  return ownRow(settings, tenure, await deps.epochs.readJob(settings.job)).desired === 'stopped';
}
