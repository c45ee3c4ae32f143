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
  /**
   * `states`: every assertion in every state, and the end of every run; a row that fails is searched in breadth, so that its story
   * is the shortest. `depth`: the same in depth, where that is too wide. `cycles`: a run that goes on for ever.
   */
  readonly search: 'states' | 'depth' | 'cycles';
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

/** Rules that cover for each other, or for speed alone: without one of them nothing breaks. */
function spare(name: string, says: string, within: Bound, more: Partial<Row> = {}): Row {
  return whole(name, says, within, { defines: [name], ...more });
}

/** How long it may take: under a minute, some minutes, or as long as fits into 4 GB. */
export type Effort = 'quick' | 'usual' | 'deep';

/** The protocol as it is. */
export function protocolRows(effort: Effort): Row[] {
  const quick = effort === 'quick';
  return [
    whole('protocol', 'the protocol', quick ? bound(2, 2, 2) : effort === 'usual' ? bound(2, 3, 3) : bound(3, 3, 3)),
    ...(quick ? [] : [whole('protocol-longer', 'the protocol, with more epochs', bound(4, 2, 3))]),
    whole('protocol-ends', 'the protocol: no run goes on for ever', quick ? bound(2, 1, 3) : bound(2, 2, 3), { search: 'cycles' }),
    whole('one-id', 'the protocol with one transactional id in place of two', quick ? bound(2, 1, 3) : bound(3, 2, 3), {
      defines: ['IDS=1'],
    }),
    whole('fine', 'the protocol, in finer steps of a coordinator that waits', quick ? bound(2, 1, 3) : bound(2, 2, 3), {
      defines: ['FINE'],
    }),
    spare('NO_PARENT', "the decision's condition on the parent; the one on the epoch's row stays", bound(2, 2, 2)),
    spare('NO_ROW', "the decision's condition on the epoch's row; the one on the parent stays", bound(2, 2, 2)),
    spare('OPEN_IS_SENT_AGAIN', 'aborting what is undecided before it is sent again; the check stays', bound(2, 2, 2)),
    spare('SETTLE_FIRST', 'committing what is decided before settling (instead: after it)', bound(2, 2, 2)),
    spare('LOOK_BEFORE_FENCE', 'a look after InitProducerId (instead: before it)', bound(2, 2, 2)),
    spare('NO_CHECK_OF_ENDED', 'the check that own records are still open', bound(2, 2, 2), { defines: ['NO_CHECK_OF_ENDED', 'FINE'] }),
    spare('NO_CHECK_OF_LEFT', 'the check of what is open where nothing was written', bound(2, 2, 2)),
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
  mutant('NO_RECOVERY', 'committing what is decided at a start', bound(1, 0, 2)),
  mutant('SINK_NOT_SERIAL', 'the serial sink stage', bound(2, 0, 2)),
  mutant('REUSED_IDENTITY', 'a fresh InitProducerId for every attempt', bound(2, 1, 1), { defines: ['REUSED_IDENTITY', 'IDS=1'] }),
  mutant('NO_CHECK_OF_PREPARED', 'the check of what was prepared, before its decision', bound(1, 1, 2)),
  mutant('NO_CHECK_OF_SENT_AGAIN', 'the check of what was sent again, before its record', bound(1, 1, 2)),
  mutant('NO_CHECK_OF_JOINED', 'the check that own records did not join older ones', bound(1, 1, 2)),
  mutant('ANSWER_COMMITS', 'the look: what EndTxn is answered counts', bound(1, 1, 1)),
  mutant('LOOK_IN_ONE', 'the look into every partition (instead: into one)', bound(1, 1, 1)),
  mutant('OPEN_IS_COMMITTED', 'undecided is not committed', bound(1, 1, 1)),
  mutant('OPEN_IS_TAKEN_IN', 'aborting what is undecided (instead: committing it where it is)', bound(1, 2, 2)),
  mutant('OPEN_IS_SENT_AGAIN_UNCHECKED', 'aborting what is undecided before it is sent again, and the check', bound(1, 1, 1), {
    defines: ['OPEN_IS_SENT_AGAIN', 'NO_CHECK_OF_SENT_AGAIN'],
  }),
  mutant('SEND_ALL_AGAIN', 'sending only those partitions again that were aborted', bound(1, 1, 1)),
  mutant('NO_RECORD', 'recording what was sent again', bound(1, 1, 2)),
  mutant('RECORD_AFTER_COMMIT', 'recording what was sent again before its EndTxn (instead: after it)', bound(1, 1, 2)),
  mutant('START_JUDGES_BY_MANIFEST', 'judging by what was recorded last (instead: by the manifest)', bound(1, 1, 2)),
  mutant('RECORD_OF_ANY_GENERATION', "the record's condition on the generation", bound(1, 1, 2)),
  mutant('RECORD_OF_ANY_EPOCH', "the record's condition on the last epoch", bound(2, 2, 3), { search: 'depth' }),
  mutant('RECORD_OVER_ANY', "the record's condition on the record that was seen", bound(1, 1, 3)),
  mutant('NO_SETTLE', 'settling every id at a start and at the end', bound(1, 0, 2)),
  mutant('NO_CHECK_OF_GENERATION', 'looking at the generation before resolving', bound(1, 1, 2), { search: 'cycles' }),
  mutant('NO_CHECK_BEFORE_SETTLING_AGAIN', 'looking at the generation before settling again', bound(1, 1, 2), { search: 'cycles' }),
];
