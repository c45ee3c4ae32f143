import { edit, type Mutant } from '../mutant.ts';

const STORE = 'test/simulation/models/epoch-store.ts';
const TABLE = 'test/simulation/models/epoch-table.ts';
const CANCEL = 'cli/commands/cancel.ts';

/** Conditions of the table are mutated in its model; the contract tests hold the real table to them. */
export const stores: readonly Mutant[] = [
  {
    name: 'a decision is conditional on the generation',
    edits: [
      edit(
        TABLE,
        "row === undefined || row.generation !== generation || row.incarnation !== incarnation) return 'refused'",
        "row === undefined || row.incarnation !== incarnation) return 'refused'",
      ),
    ],
  },
  {
    name: "a decision is conditional on its parent's decision id, and on its epoch having no row",
    edits: [
      edit(TABLE, "if (row.lastCompleted?.decisionId !== parentDecisionId) return 'refused';", ''),
      edit(TABLE, "if (this.epochs.has(job, incarnation, epoch)) return 'refused';", ''),
      edit(
        TABLE,
        "row === undefined || row.generation !== generation || row.incarnation !== incarnation) return 'refused'",
        "row === undefined || row.incarnation !== incarnation) return 'refused'",
      ),
    ],
  },
  {
    name: 'what was sent again is recorded only by the holder of the generation',
    edits: [edit(TABLE, 'const row = this.#held(held); // sent again', 'const row = this.#jobs.get(held.job);')],
  },
  {
    name: 'a record of what was sent again replaces only the one that was seen',
    edits: [
      edit(TABLE, 'if (!isLast || known !== seen) throw', 'if (!isLast) throw'),
      edit(TABLE, "if (row.sentAgain?.id === sentAgain.id) return 'written';", ''),
    ],
    focus: 'records',
  },
  {
    name: 'the pool is recorded before an id of it is used',
    edits: [edit(STORE, '({ pool: widened(row.pool, pool) })', '({ pool: row.pool })')],
  },
  {
    name: 'a write is also of the incarnation in which its generation was taken',
    focus: 'commands',
    edits: [
      edit(
        TABLE,
        'row?.generation === generation && (incarnation === undefined || row.incarnation === incarnation) ? row : undefined',
        'row?.generation === generation && (incarnation === undefined || row.incarnation !== "") ? row : undefined',
      ),
    ],
  },
  {
    name: 'a job that is deleted forgets its epochs before its blobs go',
    focus: 'commands',
    edits: [
      edit(CANCEL, "if ((await removal.forgetEpochs(held, fresh.incarnation)) === 'superseded') return leave(tools, held);", ''),
      edit(CANCEL, "if ((await tools.epochs.readJob(tools.job))?.incarnation !== ownIncarnation) return 'superseded';", ''),
      edit(
        CANCEL,
        'const epochs = await removal.deleteEpochs(job, fresh.incarnation);',
        'await removal.forgetEpochs(held, fresh.incarnation); const epochs = await removal.deleteEpochs(job, fresh.incarnation);',
      ),
    ],
  },
  {
    name: 'blobs of other incarnations are deleted only while the job is seen in its own',
    focus: 'commands',
    edits: [edit(CANCEL, "if ((await tools.epochs.readJob(tools.job))?.incarnation !== ownIncarnation) return 'superseded';", '')],
  },
  {
    name: 'epochs of other incarnations are deleted only while the job is seen in its own',
    focus: 'commands',
    edits: [edit(STORE, "if (row?.incarnation !== ownIncarnation) return 'superseded';", '')],
  },
  {
    name: 'whose a generation is says the claim in the row, and not the name of its holder',
    focus: 'starts',
    edits: [
      edit(
        TABLE,
        'if (claim !== undefined && row !== undefined && this.#claims.get(job) === claim) return row;',
        'if (claim !== undefined && row?.holder === change.holder && row?.generation === (seen.generation ?? 0) + 1) return row;',
      ),
    ],
  },
  {
    name: 'no savepoint is made of an epoch that is RETIRED',
    focus: 'pins',
    edits: [
      edit(
        TABLE,
        "if (!isKept(this.#jobs.get(job), incarnation, epoch)) return 'refused';",
        "if (this.#jobs.get(job)?.incarnation !== incarnation) return 'refused';",
      ),
    ],
  },
  {
    name: 'a savepoint outlives its job: what it names is not deleted with that',
    focus: 'savepoints',
    edits: [
      edit(
        CANCEL,
        'const garbage = found.filter((name) => !pinned.has(name));',
        'const garbage = found.slice(pinned.unreadable.length * 0);',
      ),
    ],
  },
  {
    name: 'a start from a savepoint is made only while that is there',
    focus: 'savepoints',
    edits: [
      edit(
        TABLE,
        "if (savepoint !== undefined && (pin?.id !== savepoint.id || pin.standing !== 'complete')) return 'refused';",
        'void pin;',
      ),
    ],
  },
  {
    name: 'a stop that was asked for since a start was first tried stays',
    focus: 'savepoints',
    edits: [edit('lib/epoch/start/start.ts', 'return afterStops ?? stops;', 'return (afterStops, stops);')],
  },
  {
    name: 'a stop that was asked for since the job was taken stays, where the job moves on',
    focus: 'savepoints',
    edits: [edit(TABLE, '(row.stops ?? 0) <= (next.letsRunAfterStops ?? -1)', 'next.letsRunAfterStops !== undefined')],
  },
  {
    name: 'a stop that was asked for since the job was taken stays, where it goes on',
    focus: 'savepoints',
    edits: [edit(STORE, 'stops > afterStops || leaseExpiresAtMs === 0', 'stops < 0 || leaseExpiresAtMs === 0')],
  },
  {
    name: 'a start from a savepoint commits what is decided before it leaves it',
    focus: 'savepoints',
    edits: [
      edit(TABLE, "if (row.lastCompleted !== undefined && row.lastCommitted !== row.lastCompleted.epoch) return 'refused';", ''),
      edit(
        'lib/epoch/start/begin-incarnation.ts',
        'if (completed !== undefined && row.lastCommitted < completed.epoch) {',
        'if (completed !== undefined && completed.epoch < 0) {',
      ),
    ],
  },
];
