import { openBlobStore } from '../host/stores.ts';
import { systemClock, systemRandom } from '../host/system.ts';
import type { Config } from '../lib/config/parameters.ts';
import { isLeaseLive } from '../lib/epoch/start/may-start.ts';
import type { EpochStore } from '../lib/ports/epoch-store.ts';
import type { KafkaRequests, TopicRequests } from '../lib/ports/kafka-requests.ts';
import type { JobEnd } from '../local/functions/run-job.ts';
import { topicsOf } from '../local/job-topics.ts';
import { isCommitted, type SourceEnds, sourceEnds } from './committed.ts';
import type { Route } from './input.ts';
import { interruptions } from './interruptions.ts';
import type { JobModule, LoadedJob } from './job-module.ts';
import type { DevOptions } from './options.ts';
import type { Output } from './output.ts';
import { type Reading, readInput } from './read-input.ts';
import { type Session, startSession } from './session.ts';
import { ensureTopics } from './topics.ts';

const POLL_MS = 200;

export interface Work {
  readonly options: DevOptions;
  readonly source: JobModule;
  readonly kafka: KafkaRequests & TopicRequests;
  readonly output: Output;
  readonly epochs: EpochStore;
  readonly config: Config;
  /** Of the job. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined: no topic is made. */
  readonly makeWith: { readonly partitions: number } | undefined;
}

/** Sees to it that the job's topics are there, and follows what it commits from now on. @throws UsageError */
export async function prepareTopics({ options, kafka, output, makeWith }: Work, { summary: { plan } }: LoadedJob): Promise<void> {
  const made = await ensureTopics(kafka, systemClock, { topics: topicsOf(plan), makeWith });
  if (made.length > 0)
    options.say(`made ${made.length === 1 ? 'topic' : 'topics'} ${made.join(', ')}, ${options.partitions} partitions each`);
  await output.follow(topicsOf(plan, 'sink'));
}

/**
 * Runs the job, and runs it again when its module is saved, or when somebody lets it go on that was stopped or has failed. Until it is
 * interrupted, or, if asked so, all that came in is committed.
 *
 * @param route where what comes in goes
 * @returns whether all went well
 */
export async function runJobs(work: Work, first: LoadedJob, route: Route): Promise<boolean> {
  const { options, source, output, epochs } = work;
  const { say } = options;
  const interrupted = interruptions(say);
  let reading: Reading | undefined;
  let ends: SourceEnds | undefined;
  let loaded = first;
  const start = (startKind: 'explicit' | 'revival') => startSession({ ...options, env: work.env }, loaded, startKind);
  /** What is saved cannot run: what runs is what was loaded before. */
  let isBroken = false;
  let session: Session | undefined = await start('explicit');
  let end: JobEnd | undefined;
  try {
    for (; !interrupted.signal.aborted; await systemClock.sleep(POLL_MS, interrupted.signal)) {
      if (source.hasChanged()) {
        const next = await reloaded(work, session !== undefined);
        isBroken = next === undefined;
        if (next !== undefined) {
          await session?.stop();
          loaded = next;
          session = await start('explicit');
        }
      }
      if (isBroken && session?.hasCrashed() === true) await session.kill();
      const ended = session?.end();
      if (ended !== undefined) {
        end = ended;
        session = undefined;
        say(`${endText(ended)}\nnothing runs, and Kafka stays up: save the job, or "npx onceflow resume", to start it again; Ctrl-C ends`);
        if (options.once) return false;
      }
      if (session === undefined && !isBroken && (await waitsForStart(epochs, loaded))) session = await start('revival');
      if (session?.hasBegun() === true) reading ??= readInput({ ...options, kafka: work.kafka }, route);
      if (options.once && reading?.hasEnded() === true) {
        ends ??= await sourceEnds(work.kafka, topicsOf(loaded.summary.plan, 'source'));
        if (await isCommitted(inspecting(work), loaded.summary.name, ends)) {
          await systemClock.sleep(options.staysMs ?? 0, interrupted.signal);
          break;
        }
      }
    }
    if (session !== undefined) {
      end = await session.stop();
      if (end.end !== 'stopped') say(endText(end));
    }
    if (options.once && !interrupted.signal.aborted) await output.caughtUp();
    return end?.end === 'stopped' && reading?.isWhole() !== false;
  } finally {
    interrupted.ignore();
    reading?.close();
    options.stdin.destroy();
  }
}

/** The job as it is saved now, with its topics; undefined when it is not right, which is said. */
async function reloaded(work: Work, runs: boolean): Promise<LoadedJob | undefined> {
  const { options, source } = work;
  const at = new Date().toTimeString().slice(0, 8);
  const looked = source.look();
  const problem = looked instanceof Error ? looked : await prepareTopics(work, looked).catch((error: Error) => error);
  if (looked instanceof Error || problem instanceof Error) {
    const what = runs ? 'the job runs on as it was before' : 'nothing runs';
    options.say(`saved at ${at}, and not right: ${problem?.message}\n${what}; mend it and save`);
    return undefined;
  }
  options.say(`saved at ${at}: ${runs ? 'the job stops in order, and goes on as it is now' : 'the job starts'}`);
  return looked;
}

function endText({ end, message }: JobEnd): string {
  return message === '' ? `the job is ${end}` : `the job is ${end}: ${message}`;
}

/** Somebody has let it go on. */
async function waitsForStart(epochs: EpochStore, { summary }: LoadedJob): Promise<boolean> {
  const row = await epochs.readJob(summary.name);
  return row !== undefined && row.desired === 'running' && row.failure === undefined && !isLeaseLive(row, Date.now());
}

function inspecting({ epochs, config }: Work): Parameters<typeof isCommitted>[0] {
  return { epochs, random: systemRandom, blobStore: () => openBlobStore(config.blobs) };
}
