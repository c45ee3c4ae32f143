import { edit, type Mutant } from '../mutant.ts';

const TABLE = 'test/simulation/models/epoch-table.ts';
const COLLECT = 'lib/epoch/garbage/collect.ts';
const LISTINGS = 'lib/epoch/garbage/listings.ts';
const LIVE = 'lib/epoch/garbage/live.ts';

/** Three collections of one coordinator without a fault between them come too seldom otherwise: by itself it breaks nothing. */
const OFTEN = edit('lib/epoch/loop/chores.ts', 'const COLLECT_INTERVAL_MS = 10_000;', 'const COLLECT_INTERVAL_MS = 1_500;');

/** Before each deletion, behind the savepoints. */
const LAST_LOOK = 'ownRow(settings, tenure, await deps.epochs.readJob(job));\n    const unnamed';
const UNNAMED = 'const unnamed';

export const garbage: readonly Mutant[] = [
  {
    name: 'staged output is kept until its epoch is COMMITTED',
    edits: [
      edit(
        'lib/epoch/garbage/retain.ts',
        'return epoch <= (isPassing(name) ? facts.lastCommitted : facts.lastCompleted);',
        'return epoch <= facts.lastCompleted;',
      ),
      edit(
        'lib/epoch/garbage/retain.ts',
        'manifest.epoch > lastCommitted ? Object.values(manifest.outputs).flat(2) : []',
        '[] as BlobRef[]',
      ),
    ],
  },
  {
    name: 'blobs of epochs that are not decided are not collected',
    edits: [
      edit(
        'lib/epoch/garbage/retain.ts',
        'return epoch <= (isPassing(name) ? facts.lastCommitted : facts.lastCompleted);',
        'return epoch <= (isPassing(name) ? facts.lastCommitted : Number.POSITIVE_INFINITY);',
      ),
    ],
  },
  {
    name: 'a snapshot is deleted only after its manifest was marked RETIRED by the holder',
    edits: [
      edit(
        COLLECT,
        'fenced(settings, await deps.epochs.retireThrough(job, tenure.generation, last));',
        'await deps.epochs.retireThrough(job, tenure.generation, last);',
      ),
      // Who has lost the job since is found here too.
      edit(COLLECT, LAST_LOOK, UNNAMED),
    ],
  },
  {
    name: 'the newest manifest is never retired',
    edits: [
      edit('lib/epoch/garbage/retain.ts', 'lastCommitted - retained - retiredThrough', 'lastCommitted - retained - retiredThrough + 1'),
      edit(TABLE, 'row.lastCommitted < epoch || (row.lastCompleted?.epoch ?? -1) <= epoch', 'row.lastCommitted < epoch'),
    ],
  },
  {
    name: 'savepoints are read before anything is deleted',
    focus: 'savepoints',
    edits: [edit(LIVE, 'deps.epochs.listSavepoints(job)).filter(isPin)', 'deps.epochs.listSavepoints(job)).slice(0, 0).filter(isPin)')],
  },
  {
    name: 'what is imported keeps all that is written for it before it is complete',
    focus: 'savepoints',
    edits: [edit(LIVE, 'return { prefix: `${savepoint.job}/${savepoint.incarnation}/` };', 'return {};')],
  },
  {
    name: 'who has lost the job since deletes nothing of what it has collected',
    focus: 'savepoints',
    edits: [edit(COLLECT, LAST_LOOK, UNNAMED)],
  },
  {
    name: 'what is kept of an incarnation that the job has left is what its manifests name',
    focus: 'savepoints',
    edits: [
      edit(
        'lib/epoch/garbage/retain.ts',
        'if (epoch === undefined || facts.live.has(name)) return false;',
        "if (epoch === undefined || (facts.live.has(name) && name.split('/')[1] === facts.incarnation)) return false;",
      ),
      edit(
        COLLECT,
        'const unnamed = garbage.filter((name) => !pinned.has(name));',
        'const unnamed = garbage.slice(pinned.unreadable.length * 0);',
      ),
    ],
  },
  {
    name: 'what was listed is listed again when something of it can have become garbage',
    focus: 'garbage',
    edits: [OFTEN, edit(LISTINGS, 'known?.facts !== facts ||', 'known === undefined ||')],
  },
];
