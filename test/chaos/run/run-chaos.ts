import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dice, hashOf } from '../../simulation/kernel/dice.ts';
import { endsOf } from '../../support/kafka-wire.ts';
import type { Size } from './brokers.ts';
import { lanesFor } from './faults.ts';
import type { Totals } from './job-under-test.ts';
import type { FaultKind, Lane } from './lane.ts';
import { oneBrokerAway } from './one-broker-away.ts';
import { openScene, type Scene } from './scene.ts';
import { type SteadyLoad, steadyLoad } from './steady-load.ts';
import { type FaultDone, faultTable, totalsLine } from './table.ts';
import { type Verdict, verdictOn } from './verdict.ts';
import { WORK, type Workload } from './workload.ts';

export interface ChaosOptions {
  readonly brokers: Size;
  /** What runs under the faults. @default 'words' */
  readonly workload?: Workload;
  /** Of several brokers: first takes each away by itself, and sees whether the job goes on without it. @default false */
  readonly oneAway?: boolean;
  /** Decides which faults come, in each lane in which order, and how they are; not what they meet. */
  readonly seed: number;
  /** Faults come for at least this long. */
  readonly seconds: number;
  /** And until there were this many. */
  readonly minFaults: number;
  /** Keep history, logs and data also when nothing is wrong. Default: only when something is */
  readonly keep?: boolean;
  readonly report: (line: string) => void;
}

export interface ChaosResult extends Verdict {
  readonly faults: readonly FaultDone[];
  readonly totals: Totals;
  /** Cases of one broker away in which the job did not go on. */
  readonly stalled: readonly string[];
}

const PROGRESS_EVERY_MS = 5_000;
const CATCH_UP_MS = 180_000;
/** A run in which faults are as rare as this makes no sense. */
const LONGEST_FAULT_SECONDS = 15;
const COUNTED = 'every word has its counts 1..n, once each, ascending';
const EXACT: Readonly<Record<Workload, string>> = {
  words: COUNTED,
  'words-everywhere': `${COUNTED}, in the topic and in files; every item is that of its last count; no upload is open`,
  lists: 'every append is in its list, once, and was shown once, in an order that explains all that was seen',
};

/**
 * Runs a job under steady load on brokers and an emulator of its own while faults happen to all of them; then
 * lets it come to rest and compares the output with the input, both read by Kafka's own consumer. Everything that it
 * started has ended when it is over. When it fails, what is needed to see why is kept, and the error says where.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const dir = mkdtempSync(join(tmpdir(), 'onceflow-chaos-'));
  const { report, workload = 'words' } = options;
  report(`seed ${options.seed}, brokers: ${options.brokers}, work: ${workload}; history, logs and data in ${dir}`);
  let scene: Scene | undefined;
  let result: ChaosResult;
  try {
    scene = await openScene(dir, options.brokers, workload);
    result = await underFaults(scene, workload, options);
  } catch (error) {
    scene?.history.note(`FAILED: ${error instanceof Error ? error.stack : error}`);
    throw new Error(`seed ${options.seed}, everything is kept in ${dir}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  } finally {
    await scene?.close();
  }
  const isExact = result.wrong.length === 0;
  report(isExact ? `EXACT: ${EXACT[workload]}; no transaction is open` : `NOT EXACT; kept in ${dir}`);
  for (const what of result.stalled) report(`STALLED while away: ${what}; kept in ${dir}`);
  if (isExact && result.stalled.length === 0 && options.keep !== true) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  return result;
}

async function underFaults(
  scene: Scene,
  workload: Workload,
  { brokers, oneAway, seed, seconds, minFaults, report }: ChaosOptions,
): Promise<ChaosResult> {
  const { job, history } = scene;
  const done: FaultDone[] = [];
  const underWay = new Set<string>();
  const load = steadyLoad(scene.brokers.addresses, scene.input, WORK[workload].lines);
  const lanes = lanesFor(brokers, workload);
  let startedMs = Date.now();
  const elapsed = () => (Date.now() - startedMs) / 1000;
  const progress = setInterval(() => report(progressLine(scene, load, elapsed(), done.length, underWay)), PROGRESS_EVERY_MS);
  let over = false;
  const goesOn = () => !over && (elapsed() < seconds || done.length < minFaults) && elapsed() < seconds + minFaults * LONGEST_FAULT_SECONDS;
  let working: Promise<void>[] = [];
  let stalled: readonly string[] = [];
  try {
    job.start(new Dice(seed));
    await job.nextCommit();
    if (oneAway === true) stalled = await oneBrokerAway(scene, report);
    startedMs = Date.now();
    working = lanes.map((lane) => run(lane, scene, new Dice(hashOf(seed, lane.name)), goesOn, done, underWay));
    await Promise.race([Promise.all(working), job.broken]);
    await load.stop();
    history.note('faults and load are over');
    await caughtUp(scene);
    await job.stop();
  } finally {
    over = true;
    clearInterval(progress);
    load.abandon();
    // So that no lane is left waiting for a job that is broken.
    await job.end();
    await Promise.allSettled(working);
  }
  report(`stopped after ${elapsed().toFixed(0)} s; reading both topics with Kafka's console consumer`);
  const result = { faults: done, totals: job.totals, stalled, ...(await verdictOn(scene)) };
  const kinds = lanes.flatMap((lane) => lane.kinds.map(({ name }) => name));
  for (const line of [faultTable(kinds, done), totalsLine(job.totals), result.said, ...result.wrong]) {
    report(line);
    history.note(line);
  }
  return result;
}

/** Fault, until the job commits again, pause, fault, … */
async function run(
  { kinds, pauseSeconds }: Lane,
  scene: Scene,
  dice: Dice,
  goesOn: () => boolean,
  done: FaultDone[],
  underWay: Set<string>,
): Promise<void> {
  let deck: FaultKind[] = [];
  for (;;) {
    await sleep(1000 * dice.between(...pauseSeconds));
    if (!goesOn()) return;
    // Every kind comes before one comes more often than its weight.
    if (deck.length === 0) deck = dice.shuffled(kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind)));
    const kind = deck.pop() as FaultKind;
    scene.history.note(`FAULT ${kind.name}`);
    underWay.add(kind.name);
    const what = await kind.run(scene, dice);
    underWay.delete(kind.name);
    scene.history.note(`FAULT ${kind.name}: ${what === undefined ? 'came to nothing' : `over: ${what}`}`);
    if (what === undefined) continue;
    done.push({ kind: kind.name, untilCommitSeconds: (await scene.job.nextCommit()) / 1000 });
  }
}

function progressLine({ job }: Scene, load: SteadyLoad, elapsed: number, faults: number, underWay: ReadonlySet<string>): string {
  const now = underWay.size === 0 ? '' : `; now: ${[...underWay].join(', ')}`;
  const since = ((Date.now() - job.lastCommitMs) / 1000).toFixed(1);
  return `${elapsed.toFixed(0).padStart(4)} s  ${faults} faults, ${load.lines()} lines in, ${job.totals.epochs} epochs, ${job.totals.republished} published again, last commit ${since} s ago${now}`;
}

/** Waits until everything that a reader can see of the input is in a committed epoch. */
async function caughtUp({ epochs, job, input, brokers }: Scene): Promise<void> {
  let [wanted, reached] = ['', ''];
  for (const untilMs = Date.now() + CATCH_UP_MS; Date.now() < untilMs; ) {
    const row = await epochs.readJob(job.name);
    const last = row?.lastCompleted;
    const epoch = row === undefined || last === undefined ? undefined : await epochs.readEpoch(job.name, row.incarnation, last.epoch);
    if (epoch?.manifest.at === 'row') reached = String(epoch.manifest.manifest.offsets['read-lines']?.[input]);
    // Asked each time: the load's last transaction is over, and its end may still be on its way into the partitions.
    wanted = String(await endsOf(input, 'uncommitted', brokers.addresses));
    if (reached === wanted && row?.lastCommitted === last?.epoch) return;
    await Promise.race([sleep(200), job.broken]);
  }
  throw new Error(
    `no faults any more, and not caught up within ${CATCH_UP_MS / 1000} s: input ends at ${wanted}, committed up to ${reached}`,
  );
}
