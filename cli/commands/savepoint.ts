import { BLOB_LOCATION_RULE, type BlobLocation, parseBlobLocation } from '../../lib/config/blob-location.ts';
import { isSavepointName, SAVEPOINT_NAME_RULE } from '../../lib/config/savepoint-name.ts';
import { UsageError } from '../../lib/config/usage-error.ts';
import { createSavepoint } from '../../lib/epoch/savepoint/create.ts';
import { deleteSavepoint } from '../../lib/epoch/savepoint/delete.ts';
import { exportSavepoint } from '../../lib/epoch/savepoint/export.ts';
import { importSavepoint } from '../../lib/epoch/savepoint/import.ts';
import { inspectSavepoint, listed, summaryOf } from '../../lib/inspect/savepoints.ts';
import type { Savepoint } from '../../lib/ports/epoch-store.ts';
import { createBlobs } from '../../lib/storage/blobs.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import { epochNumber } from '../options.ts';
import { savepointsText, savepointText } from '../savepoint-text.ts';
import { plural } from '../text.ts';
import type { CommandTools, Tools } from '../tools.ts';

const ACTIONS = ['create', 'list', 'show', 'delete', 'export', 'import'] as const;

export default command({
  name: 'savepoint',
  usage: 'named points that a job can be started from, however far it has gone on',
  more: `A savepoint keeps the state and the offsets of an epoch that is committed, whatever retention, "cancel" and a deletion of the job do: it
outlives its job. It is made at once, while the job runs, and copies no state: its blobs stay where they are until it is deleted.
create takes the newest committed epoch, or a retained one (--epoch). "onceflow start --from NAME" starts from one. export copies one, with its
state, to a folder or a bucket of its own, which needs neither table nor blob store then; import makes a savepoint of it, of this job, whatever the job was
called that it is of.`,
  arguments: { takes: `${ACTIONS.join('|')} [NAME [URL]]`, most: 3, words: ACTIONS },
  options: { epoch: epochNumber('create: this retained epoch, and not the newest that is committed') },
  examples: [
    { call: 'savepoint create before-2.0 --job word-count', does: 'keeps where the job is now' },
    { call: 'savepoint list --job word-count', does: 'which there are, of which epoch, how large' },
    { call: 'savepoint show before-2.0 --job word-count', does: 'its offsets, and the state of each operator' },
    { call: 'savepoint delete before-2.0 --job word-count', does: 'nothing starts from it any more; what only it needed is deleted' },
    {
      call: 'savepoint export before-2.0 file:///backup/before-2.0 --job word-count',
      does: 'copies it, with its state, where nothing is yet',
    },
    { call: 'savepoint import from-old s3://backups/before-2.0 --job word-count-2', does: 'makes a savepoint of another job of it' },
  ],
  async run(tools, { epoch }, [action, ...rest]) {
    if (epoch !== undefined && action !== 'create') throw new UsageError(`savepoint ${action ?? ''} takes no --epoch`);
    switch (action) {
      case 'create':
        return create(tools, nameIn(action, rest), epoch);
      case 'list':
        if (rest.length > 0) throw new UsageError('savepoint list takes no name');
        return list(tools);
      case 'show':
        return show(tools, nameIn(action, rest));
      case 'export':
        return exportTo(tools, ...placeIn(action, rest));
      case 'import':
        return importFrom(tools, ...placeIn(action, rest));
      case 'delete':
        return remove(tools, nameIn(action, rest));
      default:
        throw new UsageError(`savepoint takes one of ${ACTIONS.join(', ')}${action === undefined ? '' : `, not ${action}`}`);
    }
  },
});

function nameIn(action: string, [name, ...rest]: readonly string[]): string {
  if (name === undefined || rest.length > 0) throw new UsageError(`savepoint ${action} takes the name of one savepoint`);
  if (!isSavepointName(name)) throw new UsageError(`${JSON.stringify(name)} is no name of a savepoint: it must be ${SAVEPOINT_NAME_RULE}`);
  return name;
}

function placeIn(action: string, [name, url, ...rest]: readonly string[]): readonly [name: string, location: BlobLocation] {
  if (url === undefined || rest.length > 0) throw new UsageError(`savepoint ${action} takes the name of one savepoint, and a URL`);
  const location = parseBlobLocation(url);
  if (location === undefined) throw new UsageError(`${url} is no place for an exported savepoint: it must be ${BLOB_LOCATION_RULE}`);
  return [nameIn(action, name === undefined ? [] : [name]), location];
}

async function exportTo(tools: CommandTools, name: string, location: BlobLocation): Promise<CommandResult> {
  const savepoint = await savepointNamed(tools, name);
  const exported = await exportSavepoint(await withBlobs(tools), savepoint, await tools.placeAt(location));
  if (exported.outcome === 'refused') throw new UsageError(`savepoint ${name} was not exported: ${exported.why}`);
  const { blobs, bytes } = exported;
  const text = `savepoint ${name} of job ${tools.job} is exported: ${plural(blobs, 'blob')}, ${plural(bytes, 'byte')}`;
  return { code: EXIT.ok, json: { outcome: 'exported', ...summaryOf(savepoint), blobs, bytes }, text };
}

async function importFrom(tools: CommandTools, name: string, location: BlobLocation): Promise<CommandResult> {
  const imported = await importSavepoint(await withBlobs(tools), tools.job, name, await tools.placeAt(location));
  if (imported.outcome === 'refused') throw new UsageError(`savepoint ${name} was not imported: ${imported.why}`);
  const { savepoint, blobs } = imported;
  const text = `savepoint ${name} of job ${tools.job} is imported: epoch ${savepoint.epoch}, ${plural(blobs, 'blob')}: "onceflow start --from ${name}" goes on from there, or, where the job runs as a process, its next start with ONCEFLOW_START_FROM=${name}`;
  return { code: EXIT.ok, json: { outcome: 'imported', ...summaryOf(savepoint), blobs }, text };
}

async function withBlobs(tools: Tools) {
  const blobStore = await tools.blobStore();
  return { ...tools, blobStore, blobs: createBlobs(blobStore, tools.random) };
}

async function create(tools: Tools, name: string, epoch: number | undefined): Promise<CommandResult> {
  const made = await createSavepoint(tools, tools.job, name, epoch);
  if (made.outcome === 'no-such-job') return noSuchJob(tools);
  if (made.outcome === 'refused') throw new UsageError(made.why);
  const { savepoint } = made;
  const text = `savepoint ${name} keeps epoch ${savepoint.epoch} of job ${tools.job}: "onceflow start --from ${name}" goes on from there, or, where the job runs as a process, its next start with ONCEFLOW_START_FROM=${name}`;
  return { code: EXIT.ok, json: { outcome: 'created', ...summaryOf(savepoint) }, text };
}

async function list(tools: Tools): Promise<CommandResult> {
  const { job } = tools;
  const savepoints = (await tools.epochs.listSavepoints(job)).map(listed);
  return { code: EXIT.ok, json: { job, savepoints }, text: savepointsText(job, savepoints) };
}

async function show(tools: Tools, name: string): Promise<CommandResult> {
  const found = await inspectSavepoint(tools, await savepointNamed(tools, name));
  return { code: EXIT.ok, json: found, text: savepointText(found) };
}

async function remove(tools: Tools, name: string): Promise<CommandResult> {
  const savepoint = await savepointNamed(tools, name);
  const { outcome, blobs } = await deleteSavepoint(await withBlobs(tools), savepoint);
  if (outcome === 'gone') throw new UsageError(`savepoint ${name} of job ${tools.job} was deleted by somebody else meanwhile`);
  const json = { outcome: 'deleted', ...summaryOf(savepoint), blobs };
  return {
    code: EXIT.ok,
    json,
    text: `savepoint ${name} of job ${tools.job} is deleted${blobs === 0 ? '' : `, with ${plural(blobs, 'blob')}`}`,
  };
}

/** @throws UsageError: the job has none of that name */
async function savepointNamed({ epochs, job }: Pick<CommandTools, 'epochs' | 'job'>, name: string): Promise<Savepoint> {
  const found = await epochs.readSavepoint(job, name);
  if (found !== undefined) return found;
  const names = (await epochs.listSavepoints(job)).map((each) => each.name);
  throw new UsageError(`job ${job} has no savepoint ${name}: ${names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`}`);
}
