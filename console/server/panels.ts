import { ofName } from '../../lib/config/by-name.ts';
import { endText } from '../../lib/inspect/end-text.ts';
import { epochsOf, type InspectedEpoch } from '../../lib/inspect/epochs.ts';
import { tryToRead } from '../../lib/inspect/known.ts';
import { type PartitionLag, readLag } from '../../lib/inspect/lag.ts';
import { manifestIn } from '../../lib/inspect/manifest.ts';
import { listed } from '../../lib/inspect/savepoints.ts';
import { largestSubtask, type StateSize, stateSizes } from '../../lib/inspect/state-sizes.ts';
import { type JobStatus, statusOf } from '../../lib/inspect/status.ts';
import { type InspectedTransaction, type JobTransactions, readTransactions } from '../../lib/inspect/transactions.ts';
import { type VisiblePartition, visibleOutput } from '../../lib/inspect/visible.ts';
import type { StartedFrom } from '../../lib/protocol/savepoint.ts';
import type { ConsoleDeps } from './deps.ts';
import { graphOf, type JobGraphShown } from './graph.ts';
import { type KeysShown, readKeys } from './keys.ts';
import { type LetterList, readLetterList } from './letters.ts';
import { NothingThere } from './outcome.ts';
import { lastEpoch, NO_EPOCH, noSuchJob, rowOf } from './rows.ts';

/** What a panel is asked for besides. Each is a text of the address, and none is trusted. */
export type Query = Readonly<Record<string, string>>;

/** The job, as its row and its last epoch say: no broker is asked. */
export interface JobShown {
  readonly status: Omit<JobStatus, 'lag' | 'lagUnknownBecause'>;
  readonly table: string;
  readonly graph: JobGraphShown;
  readonly nowMs: number;
  readonly startedFrom: readonly StartedFrom[];
  readonly actions: boolean;
}

export interface EpochsShown {
  readonly incarnation: string;
  readonly epochs: readonly InspectedEpoch[];
  readonly lastCommitted: number;
  readonly retiredThrough: number;
}

export interface StateShown {
  readonly epoch: number;
  readonly operators: readonly (StateSize & { readonly largestSubtask: ReturnType<typeof largestSubtask> })[];
}

/** @property meaning who will end it, in the words of `onceflow transactions` */
export type ShownTransaction = Omit<InspectedTransaction, 'endsBy'> & { readonly meaning: string };

export interface TransactionsShown extends Omit<JobTransactions, 'transactions'> {
  readonly transactions: readonly ShownTransaction[];
  readonly visible: readonly VisiblePartition[];
}

/** Every panel that can be read, and what it answers. A panel of the page names one or more of these. */
export const PANELS = {
  async job(deps: ConsoleDeps): Promise<JobShown> {
    const row = await rowOf(deps);
    const last = await lastEpoch(deps, row);
    const manifest = await tryToRead(async () => (last === undefined ? undefined : manifestIn(deps, last)));
    const known = manifest.known ? manifest.of : undefined;
    const of = known === undefined ? ({ known: false, why: '' } as const) : ({ known: true, of: known } as const);
    const nowMs = deps.clock.now();
    const { lag: _, lagUnknownBecause: __, ...status } = statusOf(row, last, { manifest: of, lag: { known: false, why: '' } }, nowMs);
    return {
      status,
      table: deps.table,
      graph: graphOf(deps.module, row, known),
      nowMs,
      startedFrom: row.startedFrom ?? [],
      actions: deps.act !== undefined,
    };
  },

  /** Those behind `after`, so that a page that has the others is not given them again; a thousand at most. */
  async epochs(deps: ConsoleDeps, { after }: Query): Promise<EpochsShown> {
    const row = await rowOf(deps);
    const { job, incarnation, lastCompleted, lastCommitted, retiredThrough } = row;
    const known = after !== undefined && /^\d{1,12}$/.test(after) ? Number(after) : -1;
    const from = Math.max(known, (lastCompleted?.epoch ?? -1) - MOST_EPOCHS);
    const rows = await deps.epochs.listEpochs(job, incarnation, from);
    return { incarnation, lastCommitted, retiredThrough, epochs: epochsOf(row, rows.slice(-MOST_EPOCHS)).epochs };
  },

  async lag(deps: ConsoleDeps): Promise<readonly PartitionLag[]> {
    return (await readLag(deps))?.partitions ?? noSuchJob(deps);
  },

  async transactions(deps: ConsoleDeps): Promise<TransactionsShown> {
    const row = await rowOf(deps);
    const visible = await visibleOutput(await deps.kafka(), row);
    const found = (await readTransactions(deps)) ?? noSuchJob(deps);
    const transactions = found.transactions.map(({ endsBy, ...transaction }) => ({ ...transaction, meaning: endText(endsBy) }));
    return { ...found, transactions, visible };
  },

  async state(deps: ConsoleDeps): Promise<StateShown> {
    const last = await lastEpoch(deps, await rowOf(deps));
    if (last === undefined) throw new NothingThere(NO_EPOCH);
    const { state } = await manifestIn(deps, last);
    return {
      epoch: last.epoch,
      operators: stateSizes(state).map((size) => ({ ...size, largestSubtask: largestSubtask(ofName(state, size.uid) ?? []) })),
    };
  },

  keys: (deps: ConsoleDeps, { operator }: Query): Promise<KeysShown> => readKeys(deps, operator),

  async savepoints(deps: ConsoleDeps): Promise<readonly ReturnType<typeof listed>[]> {
    return (await deps.epochs.listSavepoints(deps.job)).map(listed);
  },

  letters: (deps: ConsoleDeps): Promise<LetterList> => readLetterList(deps),
};

/** What each panel answers, for the page. */
export type PanelAnswers = { [Name in keyof typeof PANELS]: Awaited<ReturnType<(typeof PANELS)[Name]>> };

const MOST_EPOCHS = 1_000;
