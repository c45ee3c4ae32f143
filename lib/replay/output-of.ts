import { ofName } from '../config/by-name.ts';
import type { Attempt } from '../epoch/attempt/attempt.ts';
import { stagedFor } from '../epoch/decision/position.ts';
import type { CompiledJob } from '../operators/compiled-job.ts';
import type { PhysicalPlan, SinkStage } from '../plan/plan.ts';
import { BlobMissingError } from '../ports/blob-store.ts';
import { KafkaProblem, type LogRequests } from '../ports/kafka-requests.ts';
import type { Manifest } from '../protocol/manifest.ts';
import type { BlobRef } from '../protocol/references.ts';
import { kindOfConnector, type ReadSink, rowsOfStaged } from '../sinks/kinds.ts';
import type { OutputRow } from '../sinks/output-row.ts';
import { rowsInLog, writtenInLog } from '../sinks/read-output.ts';
import type { Blobs } from '../storage/blobs.ts';

/** What an epoch wrote to one sink; or why that is not known. */
export type Written =
  | { readonly known: true; readonly rows: readonly OutputRow[] /** Was it read from the log of its topics? */; readonly fromLog: boolean }
  | { readonly known: false; readonly why: string };

export function readSinkOf({ job }: Pick<CompiledJob, 'job'>, { id, to }: SinkStage): ReadSink {
  const node = job.nodes.find((each) => each.kind === 'sink' && each.uid === id);
  return { target: to, spec: node?.kind === 'sink' ? node.to : undefined };
}

/** What a decided epoch wrote to a sink: as it was staged, if that is there still; otherwise as the log of its topic has it. */
export async function writtenBy(
  deps: { readonly blobs: Pick<Blobs, 'read'>; readonly kafka: LogRequests },
  manifest: Manifest,
  sink: { readonly id: string; readonly read: ReadSink },
): Promise<Written> {
  const { id, read } = sink;
  const committables = manifest.committables.filter((committable) => committable.sink === id);
  const kind = read.target.kind;
  const other = committables.find(({ connector }) => kindOfConnector(connector) !== kind)?.connector;
  if (other !== undefined)
    return { known: false, why: `it was a sink of kind ${kindOfConnector(other) ?? other}, and is one of kind ${kind}` };
  const staged = (ofName(manifest.outputs, id) ?? []).flat();
  try {
    return { known: true, rows: await rowsStaged(deps.blobs, staged, read), fromLog: false };
  } catch (error) {
    if (!(error instanceof BlobMissingError)) throw error;
  }
  if (committables.length === 0 || committables.some((committable) => writtenInLog(committable) === undefined))
    return {
      known: false,
      why: 'its staged output was deleted when the epoch was committed, and no topic holds it by offsets that are known',
    };
  try {
    const rows = await Promise.all(committables.map((committable) => rowsInLog(deps.kafka, committable, read)));
    if (rows.some((own) => own === undefined)) return { known: false, why: 'retention has taken its records from the topic' };
    return { known: true, rows: rows.flatMap((own) => own ?? []), fromLog: true };
  } catch (error) {
    if (error instanceof KafkaProblem && !error.retriable) return { known: false, why: error.message };
    throw error;
  }
}

/** What a sink would be given of an attempt whose stages are done. */
export async function stagedBy(
  blobs: Pick<Blobs, 'read'>,
  attempt: Attempt,
  plan: PhysicalPlan,
  sink: { readonly id: string; readonly read: ReadSink },
): Promise<readonly OutputRow[]> {
  return rowsStaged(blobs, stagedFor(attempt, plan, sink.id, 1).flat(), sink.read);
}

async function rowsStaged(blobs: Pick<Blobs, 'read'>, refs: readonly BlobRef[], read: ReadSink): Promise<OutputRow[]> {
  const rows = await Promise.all(
    refs.map(async (ref) => rowsOfStaged(read, await blobs.read('output', ref), ref.at === 'store' ? ref.name : 'inline output')),
  );
  return rows.flat();
}
