import type { ItemTables, ItemWrite, Ledger, LedgerState } from '../../ports/item-tables.ts';
import type { SinkTargets } from '../../ports/sink-targets.ts';
import { StoreProblem } from '../../ports/store-problem.ts';
import { checkCovered } from '../../protocol/permit.ts';
import { checkConnector } from '../check-connector.ts';
import type { DeliveredServer, DeliverOutcome, Staged, Until } from '../connector.ts';
import { paceUntil } from '../pace.ts';
import { CONNECTOR } from './coordination.ts';
import { doneOf, writesDone } from './done.ts';
import { keyIn, ledgerOf, textOfKey } from './keys.ts';
import { decodeStagedItems, type StagedItems, type TableFacts } from './staged-items.ts';

/** A transaction of DynamoDB has 100 writes at most, one of which is the ledger's, and 4 MB. */
const MOST_WRITES = 99;
const MOST_BYTES = 3_500_000;

/**
 * The half in the sink's function. Each transaction writes items, and in the ledger how far the subtask has come: so a write that is
 * repeated, by whomever and however late, finds that it is made.
 */
export function serveDynamo(targets: SinkTargets): DeliveredServer {
  return {
    how: 'delivered',
    async deliver(until, permit, committable, { staged, done, place }) {
      checkConnector(committable, CONNECTOR);
      checkCovered(committable, permit);
      const { epoch } = committable;
      const { facts, writes } = await writesIn(staged);
      if (facts === undefined) return { outcome: 'delivered' };
      const ledger = ledgerOf(facts.ledgerTable, facts.ledgerKeys, place);
      return deliverItems(until, { items: await targets.items(), table: facts.table, ledger, epoch, writes, known: writesDone(done) });
    },
  };
}

interface SizedWrite {
  readonly write: ItemWrite;
  readonly bytes: number;
}

/** The writes of a subtask, of each key the last one: what stood between is seen by nobody. */
async function writesIn(staged: Staged): Promise<{ readonly facts: TableFacts | undefined; readonly writes: readonly SizedWrite[] }> {
  const all = (await staged.read()).map(({ payload, name }): StagedItems => decodeStagedItems(payload, name));
  const last = new Map<string, SizedWrite>();
  for (const { facts, writes } of all)
    for (const sized of writes) {
      const { write } = sized;
      const key = textOfKey(keyIn('put' in write ? write.put : write.delete, facts.keys, facts.table), facts.keys);
      last.delete(key);
      last.set(key, sized);
    }
  return { facts: all[0]?.facts, writes: [...last.values()] };
}

interface Delivery {
  readonly items: ItemTables;
  readonly table: string;
  readonly ledger: Ledger;
  readonly epoch: number;
  readonly writes: readonly SizedWrite[];
  /** How many are made; undefined: this coordinator does not know. */
  readonly known: number | undefined;
}

async function deliverItems(until: Until, { items, table, ledger, epoch, writes, known }: Delivery): Promise<DeliverOutcome> {
  let done = known ?? 0;
  const mayGoOn = paceUntil(until);
  try {
    let asks = known === undefined;
    while (asks || done < writes.length) {
      if (asks) {
        const found = positionIn(await items.stateOf(ledger), epoch, writes.length);
        if (found === undefined) return { outcome: 'delivered' };
        done = found;
        asks = false;
        continue;
      }
      if (!mayGoOn()) return { outcome: 'partly', done: doneOf(done) };
      const batch = batchFrom(writes, done);
      const to = { epoch, written: done + batch.length };
      const answer = await items.write({ table, writes: batch, ledger, from: { epoch, written: done }, to });
      // Somebody else writes it too: the ledger says how far that is.
      if (answer === 'elsewhere') asks = true;
      else done = to.written;
    }
    return { outcome: 'delivered' };
  } catch (error) {
    if (!(error instanceof StoreProblem)) throw error;
    return { outcome: 'failed', done: doneOf(done), kind: error.retriable ? 'transient' : 'refused', message: error.message };
  }
}

/** How many of this epoch's writes are made. Undefined: a later epoch was begun, so all of them. */
function positionIn(state: LedgerState | undefined, epoch: number, writes: number): number | undefined {
  if (state === undefined || state.epoch < epoch) return 0;
  if (state.epoch > epoch) return undefined;
  if (state.written > writes) throw new Error(`the ledger says that ${state.written} of ${writes} writes of epoch ${epoch} are made`);
  return state.written;
}

function batchFrom(writes: readonly SizedWrite[], from: number): ItemWrite[] {
  let bytes = 0;
  const batch: ItemWrite[] = [];
  for (let at = from; at < writes.length && batch.length < MOST_WRITES; at++) {
    const { write, bytes: more } = writes[at] as SizedWrite;
    if (batch.length > 0 && bytes + more > MOST_BYTES) break;
    batch.push(write);
    bytes += more;
  }
  return batch;
}
