import { ofName } from '../config/by-name.ts';
import type { Manifest } from '../protocol/manifest.ts';
import { keyShown } from './compare-state.ts';
import { jsonable } from './jsonable.ts';
import { chunksOf, loadChunk, type ReadState, type StateOwner } from './state-of.ts';

/** What a state holds of a key. */
export interface StateEntry {
  readonly operator: string;
  /** Null: it is what is broadcast to the operator. */
  readonly key: unknown;
  readonly state: string;
  readonly kind: string;
  /** In the form of `jsonable`. Of timers `{ event, processing }`; of windows by their begin, what they hold. */
  readonly value: unknown;
}

/** Which of it. Undefined: all. */
export interface StateFilter {
  readonly operator?: string | undefined;
  readonly state?: string | undefined;
  /** As JSON says it, or as text. */
  readonly key?: string | undefined;
}

/** What the operators of a job keep after an epoch: by operator, key and state, key group by key group, so that it need not fit into memory. */
export async function* readStates(
  read: Omit<ReadState, 'processingMs'>,
  owners: readonly StateOwner[],
  { state, time }: Pick<Manifest, 'state' | 'time'>,
  filter: StateFilter,
): AsyncGenerator<StateEntry> {
  const reading = { ...read, processingMs: time?.processingMs ?? 0 };
  for (const owner of owners) {
    if (filter.operator !== undefined && owner.operator !== filter.operator) continue;
    const snapshots = ofName(state, owner.name) ?? [];
    for (const range of chunksOf(snapshots, read.maxParallelism)) {
      const chunk = await loadChunk(reading, owner, snapshots, range);
      for (const [id, held] of chunk.entries) {
        const key = keyShown(owner, id);
        if (!isKey(key, filter.key)) continue;
        const values = chunk.valuesOf(id);
        for (const [index, { name, kind }] of owner.states.entries())
          if (held[index] !== undefined && (filter.state === undefined || filter.state === name))
            yield { operator: owner.operator, key, state: name, kind, value: jsonable(ofName(values, name)) };
      }
    }
  }
}

function isKey(key: unknown, wanted: string | undefined): boolean {
  return wanted === undefined || key === wanted || JSON.stringify(key) === wanted;
}
