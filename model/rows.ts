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
    whole('protocol', 'the protocol', quick ? bound(2, 2, 3) : bound(3, 3, 2)),
    whole('protocol-ends', 'the protocol: no run goes on for ever', quick ? bound(2, 1, 2) : bound(2, 2, 2), { search: 'cycles' }),
    whole('one-id', 'the protocol with one transactional id in place of two', bound(2, 2, 2), { defines: ['IDS=1'] }),
    whole('NO_PARENT', "the decision's condition on the parent; the one on the epoch's row stays", bound(2, 2, 2), {
      defines: ['NO_PARENT'],
    }),
    whole('NO_ROW', "the decision's condition on the epoch's row; the one on the parent stays", bound(2, 2, 2), { defines: ['NO_ROW'] }),
  ];
}

/** The protocol without one of its rules. */
export const mutantRows: readonly Row[] = [
  mutant('NO_GENERATION', "the decision's condition on the generation", bound(1, 0, 2)),
  mutant('NO_PARENT_NOR_ROW', "the decision's conditions on the parent and on the epoch's row", bound(2, 1, 1)),
  mutant('READ_BEFORE_RAISE', 'raising the generation before reading', bound(1, 0, 2)),
  mutant('AMBIGUOUS_IS_FAILED', 'repeating an ambiguous decision (instead: a new attempt)', bound(1, 1, 1)),
  mutant('AMBIGUOUS_IS_MADE', 'repeating an ambiguous decision (instead: taken for made)', bound(1, 1, 1)),
  mutant('COMMITTED_EARLY', 'recording an epoch as COMMITTED only after its commit', bound(1, 0, 2)),
  mutant('ANSWER_COMMITS', 'the look: what EndTxn is answered counts', bound(1, 1, 1)),
  mutant('LOOK_IN_ONE', 'the look into every partition (instead: into one)', bound(1, 1, 1)),
  mutant('OPEN_IS_COMMITTED', 'undecided is not committed', bound(1, 1, 1)),
  mutant('OPEN_IS_TAKEN_IN', 'aborting what is undecided (instead: committing it where it is)', bound(1, 2, 2)),
  mutant('SEND_ALL_AGAIN', 'sending only those partitions again that were aborted', bound(1, 1, 1)),
  mutant('NO_RECORD', 'recording what was sent again', bound(1, 1, 2)),
  mutant('RECORD_AFTER_COMMIT', 'recording what was sent again before its EndTxn (instead: after it)', bound(1, 1, 2)),
  mutant('START_JUDGES_BY_MANIFEST', 'judging by what was recorded last (instead: by the manifest)', bound(1, 1, 2)),
  mutant('RECORD_OF_ANY_GENERATION', "the record's condition on the generation", bound(1, 1, 2)),
  mutant('NO_CHECK_OF_PREPARED', 'the check of what was prepared, before its decision', bound(1, 1, 2)),
];
