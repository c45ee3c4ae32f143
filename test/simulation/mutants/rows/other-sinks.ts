import { edit, type Mutant } from '../mutant.ts';

const UPLOAD = 'lib/sinks/files/upload.ts';
const COMMIT_FILES = 'lib/sinks/files/commit.ts';
const RESOLVE_FILES = 'lib/sinks/files/resolve.ts';
const SETTLE_FILES = 'lib/sinks/files/coordination.ts';
const FILE_NAMES = 'lib/sinks/files/paths.ts';
const DELIVER = 'lib/sinks/deliver/server.ts';

export const otherSinks: readonly Mutant[] = [
  {
    name: 'files are uploaded, and not completed, before the decision',
    edits: [
      edit(
        UPLOAD,
        'return { key, upload, parts, bytes: bytes.length, rows };',
        'await store.complete(key, upload, parts); return { key, upload, parts, bytes: bytes.length, rows };',
      ),
    ],
    focus: 'reach',
  },
  {
    name: 'a file whose upload is gone counts as there when it is there',
    edits: [edit(COMMIT_FILES, 'if (size !== bytes)', 'if (size !== undefined && size !== bytes)')],
    focus: 'reach',
  },
  {
    name: 'a commit that the place of files refuses stops the job',
    edits: [edit('lib/sinks/files/commit.ts', ', refused: !error.retriable', '')],
    focus: 'reach',
  },
  {
    name: 'a list of files appears behind them',
    edits: [edit(COMMIT_FILES, 'if (doubts.length === 0 && manifest !== undefined)', 'if (manifest !== undefined)')],
    focus: 'reach',
  },
  {
    name: 'a file of a decided epoch that is nowhere is uploaded again',
    edits: [edit(RESOLVE_FILES, "=== undefined ? 'lost' : fateOf", "=== undefined ? 'there' : fateOf")],
    focus: 'reach',
  },
  {
    name: 'settling ends every upload of the job',
    edits: [edit(SETTLE_FILES, "if (open.length === 0) return { outcome: 'settled', ends };", "return { outcome: 'settled', ends };")],
    focus: 'reach',
  },
  {
    name: 'names of files hold the epoch',
    edits: [edit(FILE_NAMES, "String(epoch).padStart(EPOCH_DIGITS, '0')", "String(epoch * 0).padStart(EPOCH_DIGITS, '0')")],
    focus: 'reach',
  },
  {
    name: 'output counts as delivered when the target has answered for every batch',
    edits: [edit(DELIVER, 'await time.within(() => spec.deliver', 'void time.within(() => spec.deliver')],
    focus: 'reach',
  },
  {
    name: 'a delivery that is gone on with leaves out what was answered, and nothing else',
    edits: [edit(DELIVER, 'batches.slice(done)', 'batches.slice(known === undefined ? 0 : done + 1)')],
    focus: 'reach',
  },
  {
    name: 'the id of a batch holds its epoch',
    edits: [edit(DELIVER, '[job, incarnation, sink, subtask, epoch, done]', '[job, incarnation, sink, subtask, done]')],
    focus: 'reach',
  },
  {
    name: 'the id of a batch holds the incarnation',
    edits: [edit(DELIVER, '[job, incarnation, sink, subtask, epoch, done]', '[job, sink, subtask, epoch, done]')],
    focus: 'reach',
  },
];
