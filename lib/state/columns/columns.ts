import type { KeyIndex } from '../key-index.ts';
import { type AggregatingDeclaration, openAggregatingColumn } from './aggregating.ts';
import type { Column } from './column.ts';
import { type ListDeclaration, openListColumn } from './list.ts';
import { type MapDeclaration, openMapColumn } from './map.ts';
import { openReducingColumn, type ReducingDeclaration } from './reducing.ts';
import { openTimersColumn, type TimersDeclaration } from './timers.ts';
import { openValueColumn, type ValueDeclaration } from './value.ts';
import { openWaitingColumn, type WaitingDeclaration } from './waiting.ts';

/** The kinds of state, and how each is declared. */
interface Declarations {
  readonly value: ValueDeclaration;
  readonly list: ListDeclaration;
  readonly map: MapDeclaration;
  readonly reducing: ReducingDeclaration;
  readonly aggregating: AggregatingDeclaration;
  readonly timers: TimersDeclaration;
  readonly waiting: WaitingDeclaration;
}

/** How a column of each kind is made: one that is declared and not here does not compile. */
const kinds: { readonly [K in keyof Declarations]: (keys: KeyIndex, state: Declarations[K]) => Column } = {
  value: openValueColumn,
  list: openListColumn,
  map: openMapColumn,
  reducing: openReducingColumn,
  aggregating: openAggregatingColumn,
  timers: openTimersColumn,
  waiting: openWaitingColumn,
};

/** A state as its operator declares it: of any kind. */
export type StateDeclaration<K extends keyof Declarations = keyof Declarations> = { [P in K]: Declarations[P] & { readonly kind: P } }[K];

export function openColumn<K extends keyof Declarations>(keys: KeyIndex, state: StateDeclaration<K>): Column {
  return kinds[state.kind](keys, state);
}
