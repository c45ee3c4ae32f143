import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { isSavepointName, SAVEPOINT_NAME_RULE } from '../../lib/config/savepoint-name.ts';
import { UsageError } from '../../lib/config/usage-error.ts';
import type { JobDefinition } from '../../lib/graph/job.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../lib/protocol/manifest.ts';
import { asThisCode } from '../../lib/replay/as-this-code.ts';
import { checkCode } from '../../lib/replay/check-code.ts';
import { compareState, type StateDifference } from '../../lib/replay/compare-state.ts';
import { type Archive, findEpoch, findSavepoint, unlessRetired } from '../../lib/replay/find-epochs.ts';
import { readStates, type StateFilter } from '../../lib/replay/read-state.ts';
import { type StateOwner, stateOwners } from '../../lib/replay/state-of.ts';
import { writeSavepoint } from '../../lib/replay/write-savepoint.ts';
import { StateLineError } from '../../lib/replay/write-state.ts';
import { createBlobs } from '../../lib/storage/blobs.ts';
import { openSpool } from '../../lib/storage/spool.ts';
import { configuredJob, openArchive, refusalSaid } from '../archive.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import { epochNumber, epochRange, named, wholeNumber } from '../options.ts';
import { stateText } from '../replay-text.ts';
import { plural } from '../text.ts';
import type { CommandTools } from '../tools.ts';

const ACTIONS = ['read', 'diff', 'write'] as const;

export default command({
  name: 'state',
  usage: 'what the operators of a job keep, key by key: read it, compare it between epochs, and make a savepoint of it',
  more: `read prints a JSON object a line: operator, key, state, kind and value, of the last epoch if none is said. diff compares two epochs that are kept. Of
what is broadcast to an operator the key is null. Timers and windows are the states @timers and @windows. write makes a savepoint of such lines, of the
file or of standard input, in any order: a job can be started from it that has never run. Its sources begin at their starting offsets then. Needs the job's code
(ONCEFLOW_JOB), which says how keys and values are read and written.`,
  arguments: { takes: `${ACTIONS.join('|')} [SAVEPOINT [FILE]]`, most: 3, words: ACTIONS },
  options: {
    operator: named('UID', 'of this operator alone'),
    state: named('NAME', 'this state alone'),
    key: named('KEY', 'this key alone: its text, or as JSON'),
    epoch: epochNumber('read: after this epoch (default the last)'),
    from: named('SAVEPOINT', 'read: what this savepoint keeps'),
    epochs: epochRange('diff: after epoch A and after epoch B'),
    keys: wholeNumber({ takes: 'N', default: 20, help: 'diff: of each operator show at most so many keys that differ' }),
  },
  json: 'read: a JSON object a line, also without --json; diff and write: one JSON object',
  examples: [
    { call: 'state read --job word-count --operator count-words --key hello', does: 'what is kept of one key' },
    { call: 'state read --job word-count --epoch 1207', does: 'everything, after that epoch' },
    { call: 'state read --job word-count --from before-2.0', does: 'everything that a savepoint keeps' },
    {
      call: 'state diff --job word-count --epochs 1206..1207',
      does: 'the keys that epoch 1207 has changed; exit code 10 when there are any',
    },
  ],
  async run(tools, values, [action, ...rest]) {
    const { epoch, epochs, keys, operator, state, key, from } = values;
    if (action !== 'write' && rest.length > 0) throw new UsageError(`state ${action} takes no ${rest[0]}`);
    switch (action) {
      case 'read':
        if (epochs !== undefined) throw new UsageError('state read takes --epoch N; --epochs A..B goes with diff');
        if (from !== undefined && epoch !== undefined) throw new UsageError('state read takes either --epoch N or --from SAVEPOINT');
        return refusalSaid(() =>
          from === undefined ? read(tools, epoch, { operator, state, key }) : readSaved(tools, from, { operator, state, key }),
        );
      case 'diff':
        if (epochs === undefined || epoch !== undefined) throw new UsageError('state diff takes --epochs A..B');
        if (state !== undefined || key !== undefined || from !== undefined)
          throw new UsageError('state diff takes none of --state, --key and --from');
        return refusalSaid(() => diff(tools, epochs, operator, keys));
      case 'write':
        if (Object.values({ epoch, epochs, operator, state, key, from }).some((given) => given !== undefined))
          throw new UsageError('state write takes the name of the savepoint and a file, and no options');
        return write(tools, nameIn(rest[0]), rest[1]);
      default:
        throw new UsageError(`state takes one of ${ACTIONS.join(', ')}${action === undefined ? '' : `, not ${action}`}`);
    }
  },
});

async function read(tools: CommandTools, epoch: number | undefined, filter: StateFilter): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  const { owners, job } = await ownersIn(tools, row, filter);
  const archive = await openArchive(tools);
  const manifest = asThisCode(await findEpoch(archive, row, epoch), job);
  const { maxParallelism } = row;
  return unlessRetired(archive, row, manifest.epoch, () => show(tools, { archive, maxParallelism, owners }, manifest, filter));
}

/** Of a savepoint, which is there also when its job is not any more. */
async function readSaved(tools: CommandTools, name: string, filter: StateFilter): Promise<CommandResult> {
  const archive = await openArchive(tools);
  const { manifest, fingerprint, maxParallelism } = await findSavepoint(archive, tools.job, name);
  const { owners, job } = await ownersIn(tools, { job: tools.job, fingerprint }, filter);
  return show(tools, { archive, maxParallelism, owners }, asThisCode(manifest, job), filter);
}

function nameIn(name: string | undefined): string {
  if (name === undefined) throw new UsageError('state write takes the name of the savepoint that is to be');
  if (!isSavepointName(name)) throw new UsageError(`${JSON.stringify(name)} is no name of a savepoint: it must be ${SAVEPOINT_NAME_RULE}`);
  return name;
}

async function write(tools: CommandTools, name: string, file: string | undefined): Promise<CommandResult> {
  const { job } = await configuredJob(tools);
  const row = await tools.epochs.readJob(tools.job);
  if (row !== undefined) checkCode(row, job, 'changed');
  const spool = openSpool();
  try {
    const { clock, random, epochs, config } = tools;
    const blobStore = await tools.blobStore();
    const blobs = createBlobs(blobStore, random);
    const maxParallelism = row?.maxParallelism ?? config.maxParallelism;
    const of = { job, name: tools.job, maxParallelism };
    const made = await writeSavepoint({ blobStore, blobs, clock, random, epochs, spool }, of, name, linesOf(file));
    if (made.outcome === 'gone') throw new UsageError(`savepoint ${name} of job ${tools.job} was deleted by somebody else meanwhile`);
    if (made.outcome === 'exists') {
      const which = made.standing === 'complete' ? 'already' : `already, which is not complete (${made.standing})`;
      throw new UsageError(
        `job ${tools.job} has a savepoint ${name} ${which}: give this one another name, or delete that one ("onceflow savepoint delete ${name}")`,
      );
    }
    const text = `savepoint ${name} of job ${tools.job} has what ${plural(made.lines, 'line')} said: "onceflow start --from ${name}" begins with it`;
    return { code: EXIT.ok, json: { job: tools.job, savepoint: name, lines: made.lines }, text };
  } catch (error) {
    if (error instanceof StateLineError) throw new UsageError(`${file ?? 'standard input'}, ${error.message}`);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && file !== undefined) throw new UsageError(`there is no file ${file}`);
    throw error;
  } finally {
    spool.close();
  }
}

/** Opened when the first line is asked for: what is read before somebody listens is lost. */
async function* linesOf(file: string | undefined): AsyncGenerator<string> {
  const input = file === undefined ? process.stdin : createReadStream(file);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } finally {
    input.destroy();
  }
}

async function show(
  tools: CommandTools,
  of: { readonly archive: Archive; readonly maxParallelism: number; readonly owners: readonly StateOwner[] },
  manifest: Manifest,
  filter: StateFilter,
): Promise<CommandResult> {
  const reading = { blobs: of.archive.blobs, maxParallelism: of.maxParallelism };
  for await (const entry of readStates(reading, of.owners, manifest, filter)) tools.show(JSON.stringify(entry));
  return { code: EXIT.ok, json: undefined, text: '' };
}

async function diff(
  tools: CommandTools,
  { first, last }: { readonly first: number; readonly last: number },
  operator: string | undefined,
  keys: number,
): Promise<CommandResult> {
  const row = await tools.epochs.readJob(tools.job);
  if (row === undefined) return noSuchJob(tools);
  const { owners, job } = await ownersIn(tools, row, { operator });
  const archive = await openArchive(tools);
  const found = await Promise.all([findEpoch(archive, row, first), findEpoch(archive, row, last)]);
  const [one, other] = [asThisCode(found[0], job), asThisCode(found[1], job)];
  const { maxParallelism } = row;
  const sideOf = ({ state, time }: typeof one) => ({
    read: { blobs: archive.blobs, maxParallelism, processingMs: time?.processingMs ?? 0 },
    state,
  });
  return unlessRetired(archive, row, first, async () => {
    const found: StateDifference[] = [];
    for (const owner of owners) found.push(await compareState(owner, sideOf(one), sideOf(other), keys));
    return diffResult(tools.job, { first, last }, found, keys);
  });
}

export function diffResult(
  job: string,
  epochs: { readonly first: number; readonly last: number },
  found: readonly StateDifference[],
  keys: number,
): CommandResult {
  const differing = found.reduce((sum, each) => sum + each.differing, 0);
  const head = `epoch ${epochs.first} and epoch ${epochs.last} of job ${job}: ${differing === 0 ? 'the same state' : `${plural(differing, 'key')} ${differing === 1 ? 'differs' : 'differ'}`}`;
  return {
    code: differing === 0 ? EXIT.ok : EXIT.different,
    json: { job, ...epochs, state: found },
    text: [head, ...found.flatMap((each) => stateText(each, keys))].join('\n'),
  };
}

/** @throws UsageError: there is no such operator or state; ReplayRefusedError: the code is of another graph */
async function ownersIn(
  tools: CommandTools,
  row: Pick<JobRow, 'job' | 'fingerprint'>,
  { operator, state }: Pick<StateFilter, 'operator' | 'state'>,
): Promise<{ readonly owners: readonly StateOwner[]; readonly job: JobDefinition }> {
  const { job } = await configuredJob(tools);
  // What a newer build of it has besides, is read as empty.
  checkCode(row, job, 'changed');
  const all = stateOwners(job);
  const owners = all.filter((owner) => operator === undefined || owner.operator === operator);
  const names = (of: readonly string[]) => [...new Set(of)].join(', ') || 'none';
  if (operator !== undefined && owners.length === 0)
    throw new UsageError(
      `job ${job.name} has no operator ${operator} that keeps state; it has ${names(all.map((owner) => owner.operator))}`,
    );
  const states = owners.flatMap((owner) => owner.states.map(({ name }) => name));
  if (state !== undefined && !states.includes(state)) throw new UsageError(`there is no state ${state}; there are ${names(states)}`);
  return { owners, job };
}
