import { holderOfProcess } from '../host/holder.ts';
import { type CoordinatorDeps, JobFailedError, SupersededError } from '../lib/epoch/coordinator/context.ts';
import { type FinishSettings, finishJob } from '../lib/epoch/coordinator/finish.ts';
import { holdLease } from '../lib/epoch/lease/hold-lease.ts';
import { inWords } from '../lib/epoch/progress/events.ts';
import { holderOf } from '../lib/epoch/start/may-start.ts';
import type { JobRow } from '../lib/ports/epoch-store.ts';
import type { FunctionInvoker } from '../lib/ports/function-invoker.ts';
import type { SinkRequest } from '../lib/protocol/requests.ts';
import { coordinateSinks, needsCode } from '../lib/sinks/connectors.ts';
import { received } from '../lib/stages/received.ts';
import { serveSink } from '../lib/stages/serve.ts';
import { createBlobs } from '../lib/storage/blobs.ts';
import { plural } from './text.ts';
import type { Tools } from './tools.ts';

/**
 * Takes the job's generation in a way that leaves a person's request to stop as it is; undefined when another process
 * took one in between, or a person asked for something else.
 */
export async function takeGeneration(tools: Tools, row: JobRow, command: 'stop' | 'cancel'): Promise<JobRow | undefined> {
  const { epochs, clock, config, say } = tools;
  // Whoever takes it has work to do with them: that they are not configured is said before.
  await Promise.all([tools.kafka(), tools.blobStore()]);
  const holder = `${holderOfProcess(process.pid)} (onceflow ${command})`;
  const taken = await epochs.reviveGeneration(row.job, row, holder, clock.now() + config.leaseMs);
  if (taken !== undefined) say(`took job ${row.job} from ${holderOf(row)}, as ${holderOf(taken)}`);
  return taken;
}

/**
 * Commits what is decided and ends whatever else is open, in this process: it does the sink function's part of the work
 * itself. Throws as `finishJob` does; the lease is given up then, and why is recorded when a person has to act.
 */
export async function finishHere(tools: Tools, taken: JobRow, signal: AbortSignal): Promise<void> {
  const { commitTimeoutMs, epochTimeoutMs, onMissingEvidence } = tools.config;
  const settings: FinishSettings = { build: 'onceflow command', commitTimeoutMs, epochTimeoutMs, onMissingEvidence };
  const deps = await coordinatorDeps(tools, taken);
  const lease = holdLease(deps, { job: taken.job, leaseMs: tools.config.leaseMs }, taken.generation, tools.clock.elapsedMs());
  try {
    const finished = await finishJob(deps, settings, taken, AbortSignal.any([signal, lease.lost]));
    if (finished.committed !== undefined) {
      const again = finished.republished > 0 ? `; ${finished.republished} of its transactions had been lost and were published again` : '';
      tools.say(`epoch ${finished.committed} was decided: committed it${again}`);
    }
    tools.say(`settled ${plural(finished.settledIds, 'transactional id')}: nothing is open under them`);
  } catch (error) {
    if (lease.lost.aborted) throw lease.lost.reason;
    await lease.end();
    const failure = error instanceof JobFailedError ? error.message : undefined;
    if (!(error instanceof SupersededError))
      await tools.epochs.releaseLease(taken.job, taken.generation, { desired: 'as-it-is', failure }).catch(() => undefined);
    throw error;
  } finally {
    await lease.end();
  }
}

async function coordinatorDeps(tools: Tools, { pool }: JobRow): Promise<CoordinatorDeps> {
  const { clock, random, epochs, config, targets, say } = tools;
  const [kafka, blobStore] = await Promise.all([tools.kafka(), tools.blobStore()]);
  const blobs = createBlobs(blobStore, random);
  // Loaded only where it is needed: a module may do anything.
  const job = needsCode(pool) ? await tools.code() : undefined;
  const sink = { kafka, targets, blobs, clock, random, inlineBlobBytes: config.inlineBlobBytes, ...(job !== undefined && { job }) };
  // Only the sink is ever asked: to commit, and to resolve.
  const invoker: FunctionInvoker = { invoke: (_target, payload) => serveSink(sink, received(payload as SinkRequest, clock.elapsedMs())) };
  return {
    epochs,
    blobStore,
    blobs,
    kafka,
    sinks: coordinateSinks({ kafka, targets, clock, random }, { ...config, deliveryGuarantee: 'exactly-once' }),
    invoker,
    clock,
    random,
    observe: (event) => {
      if (event.event === 'warning') say(event.message);
      if (event.event === 'waiting') say(`still waiting: ${event.what}`);
      if (event.event === 'doubtful') say(`the commit of ${inWords(event.names)} was in doubt: ${event.resolution}`);
    },
  };
}
