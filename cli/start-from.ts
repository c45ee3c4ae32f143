import { parameters } from '../lib/config/parameters.ts';
import type { StartingOffsets } from '../lib/config/starting-offsets.ts';
import { parseTableLocation } from '../lib/config/table-location.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import { JobFailedError } from '../lib/epoch/coordinator/context.ts';
import type { StartAt } from '../lib/epoch/start/start-at.ts';
import { epochToStartAt, type Startable, savepointToStartAt } from '../lib/epoch/start/startable.ts';
import { manifestIn } from '../lib/inspect/manifest.ts';
import { type WrittenAgain, writtenAgainOf } from '../lib/inspect/written-again.ts';
import type { JobRow } from '../lib/ports/epoch-store.ts';
import type { Manifest } from '../lib/protocol/manifest.ts';
import { plural } from './text.ts';
import type { CommandTools } from './tools.ts';

/** From where a start was asked for. */
export interface AskedStart {
  readonly from: string | undefined;
  readonly epoch: number | undefined;
  /** With commas between. */
  readonly drop: string | undefined;
  /** Where its sources go on in place of its offsets. */
  readonly sourceOffsets: StartingOffsets | undefined;
  readonly yes: boolean;
}

/** What a start from there writes again is said, and asked about. `no`: the person does not want it. @throws UsageError */
export async function startAtOf(tools: CommandTools, asked: AskedStart): Promise<StartAt | 'no' | undefined> {
  const { from: name, epoch, drop: uids, sourceOffsets, yes } = asked;
  if (name !== undefined && epoch !== undefined) throw new UsageError('start takes --from or --from-epoch, not both');
  const at = name !== undefined ? { savepoint: name } : epoch !== undefined ? { epoch } : undefined;
  if (at === undefined) {
    if (uids !== undefined) throw new UsageError('--drop is for a start --from a savepoint');
    if (sourceOffsets !== undefined)
      throw new UsageError(
        `--source-offsets is for a start --from a savepoint or --from-epoch: a job that has nothing to go on from begins at ${parameters.startingOffsets.variable}`,
      );
    return undefined;
  }
  refuseHere(tools, name);
  const row = await tools.epochs.readJob(tools.job);
  const from = await startableOf(tools, row, at);
  const manifest = await manifestIn(tools, from);
  const again = await writtenAgainOf(tools, row, { ...from, offsets: manifest.offsets });
  const said = sourceOffsets === undefined ? againTexts(from, again) : elsewhereTexts(from, again, { sourceOffsets, manifest });
  if (!(await isAgreed(tools, said, yes))) return 'no';
  const drop = uids?.split(',').map((uid) => uid.trim()) ?? [];
  return { at, once: tools.random.id(), drop, sourceOffsets, onWrittenAgain: 'allow' };
}

/** Nobody can be asked to start it. */
function refuseHere({ job, config }: CommandTools, name: string | undefined): void {
  if (parseTableLocation(config.table)?.kind !== 'file') return;
  const how = name === undefined ? 'make a savepoint of the epoch, and run it' : 'run it';
  throw new UsageError(
    `job ${job} is in a file of this machine (${parameters.table.variable}), and no deployment has it: ${how} with ${parameters.startFrom.variable}=${name ?? 'NAME'}`,
  );
}

async function startableOf(tools: CommandTools, row: JobRow | undefined, at: StartAt['at']): Promise<Startable> {
  const { epochs, job } = tools;
  try {
    if ('savepoint' in at)
      return await savepointToStartAt(epochs, job, at.savepoint, await epochs.readSavepoint(job, at.savepoint), undefined);
    if (row === undefined) throw new UsageError(`there is no job ${job} with an epoch ${at.epoch}`);
    return await epochToStartAt(epochs, row, at.epoch, '');
  } catch (error) {
    throw error instanceof JobFailedError ? new UsageError(error.message) : error;
  }
}

/** @throws UsageError: nobody is there to be asked */
async function isAgreed({ ask, say }: CommandTools, said: readonly string[], yes: boolean): Promise<boolean> {
  if (said.length === 0) return true;
  const text = said.join('\n');
  say(text);
  if (yes) return true;
  const answer = await ask('Start from there?');
  if (answer === 'nobody') throw new UsageError('nobody is there to be asked whether that is meant: give --yes');
  return answer === 'yes';
}

function againTexts({ what }: Startable, again: WrittenAgain): string[] {
  return again.epochs === 0 ? [] : [writtenAgainText(what, again)];
}

/** Of input in another cluster nobody can say which of it the epoch has counted: that is always asked about. */
function elsewhereTexts(
  { what }: Startable,
  again: WrittenAgain,
  { sourceOffsets, manifest }: { readonly sourceOffsets: StartingOffsets; readonly manifest: Manifest },
): string[] {
  const sources = Object.entries(manifest.offsets).flatMap(([uid, topics]) =>
    Object.keys(topics).map((topic) => `${uid} (topic ${topic})`),
  );
  const processingMs = manifest.time?.processingMs;
  const untilText = processingMs === undefined ? '' : `; it was planned at ${new Date(processingMs).toISOString()}`;
  return [
    `${what} is gone on from with its state, and its sources at ${sourceOffsets} of the topics that the brokers have now, not at its own offsets: ${sources.join(', ')}`,
    `  read a second time, and counted twice: records from there on that ${what} has in its state already${untilText}`,
    '  never read: records before there that it has not',
    // The input of those epochs is not in these offsets.
    ...(again.epochs === 0 ? [] : [writtenAgainText(what, { ...again, input: [] })]),
  ];
}

/** What readers of the output will be given a second time, for people. */
export function writtenAgainText(what: string, { epochs, unknown, input, output, elsewhere }: WrittenAgain): string {
  return [
    `behind ${what}, ${plural(epochs, 'epoch')} of output ${epochs === 1 ? 'was' : 'were'} committed, and a start from there writes it again:`,
    ...input.map(
      ({ topic, partition, from, to }) => `  input read again: topic ${topic}, partition ${partition}, offsets ${from} to ${to - 1}`,
    ),
    ...output.map(
      ({ topic, partition, from, to }) =>
        `  output that stays, and comes again: topic ${topic}, partition ${partition}, offsets ${from} to ${to}`,
    ),
    ...elsewhere.map((sink) => `  sink ${sink} gets its rows again, under the job's next incarnation`),
    ...(unknown > 0 ? [`  of ${plural(unknown, 'epoch')} it is not known any more what was written`] : []),
  ].join('\n');
}
