import { expect } from 'vitest';
import { simJobs } from '../jobs.ts';
import type { Call, Fault } from '../kernel/faults.ts';
import type { Role } from '../kernel/process.ts';
import { parallelismOf } from '../parallelism.ts';
import { reportOf } from '../report.ts';
import { runWorld } from '../run.ts';
import type { SimJob } from '../sim-job.ts';
import type { World } from '../world.ts';
import type { InputBatch, Outcome, WorldOptions } from '../world-options.ts';

/** What happens at one call. */
export interface Rule {
  readonly at: (call: Call) => boolean;
  readonly fault?: Fault;
  /** Something else that happens at that moment. */
  readonly also?: (world: World, call: Call) => void;
  /** How many of the calls it befalls. @default 1 */
  readonly times?: number;
}

/** A call by its api, and where wanted by who makes it and what it is about. @param nth which of them, from 1 */
export function at(
  api: string,
  of: { readonly role?: Role; readonly about?: RegExp; readonly nth?: number; readonly by?: string } = {},
): Rule['at'] {
  let seen = 0;
  return (call) => {
    if (call.api !== api || (of.role !== undefined && call.caller.role !== of.role) || (of.by !== undefined && call.caller.name !== of.by))
      return false;
    if (of.about !== undefined && !of.about.test(call.about)) return false;
    seen++;
    return seen >= (of.nth ?? 1);
  };
}

export function jobNamed(name: string): SimJob {
  const job = simJobs.find((each) => each.name === name);
  if (job === undefined) throw new Error(`no job ${name}`);
  return job;
}

export const plain = (atMs: number, partition: number, ...lines: string[]): InputBatch => ({
  atMs,
  partition,
  lines,
  how: 'plain',
  endsAfterMs: 0,
});

/** Four small epochs of the word count: input at 0, 1, 2 and 3 seconds. */
export const fourEpochs: readonly InputBatch[] = [
  plain(0, 0, 'ant bee #0', 'cow #1'),
  plain(1_000, 1, 'ant ant #2'),
  plain(2_000, 0, 'bee cow auk #3'),
  plain(3_000, 1, 'ant bat #4', 'bee #5'),
];

const FAULTS_UNTIL_MS = 20_000;

/** Runs a small job while `rules` happen. Fails with the whole history when an invariant is violated or a rule did not happen. */
export async function story(rules: readonly Rule[], change: Partial<WorldOptions> = {}): Promise<Outcome> {
  const job = change.job ?? jobNamed('word-count');
  const left = rules.map((rule) => ({ rule, times: rule.times ?? 1 }));
  let world: World | undefined;
  const outcome = await runWorld({
    seed: 1,
    job,
    inputPartitions: 2,
    outputPartitions: 1,
    input: fourEpochs,
    startingOffsets: 'earliest',
    settings: {},
    inlineBlobBytes: 0,
    parallelism: () => parallelismOf(job, { source: 1, operator: 1, sink: 1 }),
    oneAtATime: true,
    clockSkewMs: 0,
    markerDelayMs: [1, 10],
    maxProducerEpoch: 32_767,
    tokenLifetimeMs: 600_000,
    fetchBytes: 1_000_000,
    faultsUntilMs: FAULTS_UNTIL_MS,
    ending: 'stop',
    history: true,
    prepare: (made) => {
      world = made;
    },
    faults: (call) => {
      const matching = left.filter(({ rule }) => rule.at(call));
      const due = matching.find(({ times }) => times > 0);
      if (due === undefined) return undefined;
      due.times--;
      if (world !== undefined) due.rule.also?.(world, call);
      return due.rule.fault;
    },
    ...change,
  });
  if (outcome.violations.length > 0) expect.fail(reportOf(outcome, undefined));
  for (const { rule, times } of left)
    if (times > 0)
      expect.fail(`something that was to happen did not (${rule.fault?.fault ?? 'an action'}):\n${outcome.history.join('\n')}`);
  return outcome;
}

/** How each doubtful commit was resolved. */
export function resolutions(outcome: Outcome): string[] {
  return outcome.observed.flatMap((event) => (event.event === 'doubtful' ? [event.resolution.split(':')[0] ?? ''] : []));
}

export function failedAttempts(outcome: Outcome): number {
  return outcome.observed.filter(({ event }) => event === 'attempt-failed').length;
}

export function ends(outcome: Outcome): string[] {
  return outcome.ends.map(({ end }) => end);
}
