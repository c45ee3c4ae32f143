import { UsageError } from '../lib/config/usage-error.ts';
import type { JobRow } from '../lib/ports/epoch-store.ts';
import { checkCode } from '../lib/replay/check-code.ts';
import type { Archive } from '../lib/replay/find-epochs.ts';
import { ReplayRefusedError } from '../lib/replay/refused.ts';
import type { Replay } from '../lib/replay/replay.ts';
import { createBlobs } from '../lib/storage/blobs.ts';
import type { CommandResult } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { printsAside } from './prints-aside.ts';
import type { CommandTools } from './tools.ts';

/** The epochs of the tools' job, as they are stored. */
export async function openArchive({ epochs, blobStore, random }: Pick<CommandTools, 'epochs' | 'blobStore' | 'random'>): Promise<Archive> {
  return { epochs, blobs: createBlobs(await blobStore(), random) };
}

/** The job as its module here has it. @throws UsageError: no module is named */
export async function configuredJob({
  configured,
}: Pick<CommandTools, 'configured'>): Promise<NonNullable<Awaited<ReturnType<CommandTools['configured']>>>> {
  const found = await printsAside(configured);
  if (found === undefined) throw new UsageError('where is the code? Set ONCEFLOW_JOB to the module of the job, or give --job ./PATH');
  return found;
}

/** What running its epochs again takes, and what of its code is new. @throws ReplayRefusedError, UsageError */
export async function openReplay(
  tools: CommandTools,
  row: JobRow,
  how: { readonly code: 'as-it-was' | 'changed'; readonly mostKeys: number },
): Promise<{ readonly replay: Replay; readonly news: readonly string[] }> {
  const { job, plan, parallelism } = await configuredJob(tools);
  const news = checkCode(row, job, how.code);
  const [kafka, blobStore, archive] = await Promise.all([tools.kafka(), tools.blobStore(), openArchive(tools)]);
  const { clock, random, targets, config } = tools;
  const { incarnation, maxParallelism } = row;
  const { deliveryGuarantee } = config;
  const around = { job, plan, incarnation, maxParallelism, deliveryGuarantee, kafka, blobStore, targets, clock, random };
  return { replay: { ...around, archive, row, parallelism, mostKeys: how.mostKeys }, news };
}

/** What cannot be replayed is said, and nothing else. */
export async function refusalSaid(work: () => Promise<CommandResult>): Promise<CommandResult> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ReplayRefusedError)) throw error;
    return { code: EXIT.failed, json: { outcome: 'refused', message: error.message }, text: error.message };
  }
}
