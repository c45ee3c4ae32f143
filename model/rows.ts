/** How far a search goes: everything that can happen with so many epochs, faults and starts of coordinators. */
export interface Bound {
  readonly epochs: number;
  readonly faults: number;
  readonly starts: number;
}

/** One check of the model. */
export interface Row {
  readonly name: string;
  /** Preprocessor defines besides the bound. */
  readonly defines: readonly string[];
  /** In words: the rule that is taken out, or what is checked. */
  readonly says: string;
  readonly bound: Bound;
  /** `states`: every assertion in every state, and the end of every run. `cycles`: a run that goes on for ever. */
  readonly search: 'states' | 'cycles';
  readonly expect: 'holds' | 'fails';
}

const bound = (epochs: number, faults: number, starts: number): Bound => ({ epochs, faults, starts });

function whole(name: string, says: string, within: Bound, more: Partial<Row> = {}): Row {
  return { name, says, bound: within, defines: [], search: 'states', expect: 'holds', ...more };
}

/** The smallest bound at which it fails is enough. */
function mutant(name: string, says: string, within: Bound, more: Partial<Row> = {}): Row {
  return { name, says, bound: within, defines: [name], search: 'states', expect: 'fails', ...more };
}

/** The protocol as it is. */
export function protocolRows(quick: boolean): Row[] {
  return [
    whole('protocol', 'the protocol', quick ? bound(3, 2, 3) : bound(4, 3, 3)),
    whole('protocol-ends', 'the protocol: no run goes on for ever', bound(3, quick ? 1 : 2, 3), { search: 'cycles' }),
    whole('restore', 'the protocol with restores from an older epoch', bound(2, 2, 4), { defines: ['RESTORE'] }),
    whole('NO_PARENT', "the decision's condition on the parent; the one on the epoch's row stays", bound(3, 2, 2), {
      defines: ['NO_PARENT'],
    }),
    whole('NO_ROW', "the decision's condition on the epoch's row; the one on the parent stays", bound(3, 2, 2), { defines: ['NO_ROW'] }),
  ];
}

/** The protocol without one of its rules. */
export const mutantRows: readonly Row[] = [
  mutant('NO_GENERATION', "the decision's condition on the generation", bound(1, 0, 2)),
  mutant('NO_PARENT_NOR_ROW', "the decision's conditions on the parent and on the epoch's row", bound(1, 1, 1)),
  mutant('READ_BEFORE_RAISE', 'raising the generation before reading', bound(1, 0, 2)),
  mutant('AMBIGUOUS_IS_FAILED', 'repeating an ambiguous decision', bound(1, 1, 1)),
  mutant('ANY_ANSWER_COMMITS', 'only the answer OK means committed', bound(1, 0, 2)),
  mutant('COMMITTED_EARLY', 'recording an epoch as COMMITTED only after its commit', bound(1, 0, 2)),
  mutant('MARKER_APART', 'sending the marker inside the transaction', bound(1, 1, 1)),
  mutant('NO_MARKER_CHECK', 'reading the marker between InitProducerId and sending again', bound(1, 1, 1)),
  mutant('MARKER_EQUALS', 'marker ≥ epoch (instead: marker = epoch)', bound(3, 1, 2), { defines: ['MARKER_EQUALS', 'NOT_COLLECTED'] }),
  mutant('UNSTABLE_READ', 'waiting for a stable marker', bound(1, 2, 2)),
  mutant('INIT_AGAIN', 'no other InitProducerId between the marker and sending', bound(1, 1, 2), {
    defines: ['INIT_AGAIN', 'NOT_COLLECTED'],
  }),
  mutant('REUSED_IDENTITY', 'a fresh InitProducerId for every attempt', bound(2, 1, 3)),
  mutant('SINK_NOT_SERIAL', 'the serial sink stage', bound(2, 1, 2)),
  mutant('NO_SETTLE', 'settling both ids at start', bound(1, 1, 2)),
  mutant('NO_CHECK', 'looking at the generation before resolving', bound(1, 1, 2), { search: 'cycles' }),
  mutant('NO_INCARNATION', 'a new incarnation for every restore', bound(2, 1, 3), { defines: ['NO_INCARNATION', 'RESTORE'] }),
];
