import type { JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import type { StartAt } from '../../../lib/epoch/start/start-at.ts';
import { fingerprint } from '../../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';
import { DEAD_LETTER_TOPIC, JOB } from '../sim-job.ts';
import type { World } from '../world.ts';

export const MAX_PARALLELISM = 8;

/** What a coordinator is started with: short times, what the world is given, and what a person has decided. @param number which one, from 1 */
export function settingsOf(world: World, number: number, holder: string, startAt: StartAt | undefined): JobSettings {
  const { options, build } = world;
  const job = options.job.define(build, options.startingOffsets, world.code);
  return {
    job: JOB,
    build,
    holder,
    plan: compilePlan(job, options.userCode?.leavesOut(number) === true ? DEAD_LETTER_TOPIC : undefined),
    fingerprint: fingerprint(describeGraph(job)),
    groupId: JOB,
    commitOffsets: true,
    onDataLoss: 'stop',
    onMissingEvidence: 'stop',
    onMissingState: 'stop',
    parallelism: options.parallelism(number),
    maxParallelism: MAX_PARALLELISM,
    checkpointIntervalMs: 500,
    epochTimeoutMs: 5_000,
    commitTimeoutMs: 2_000,
    recoveryTimeoutMs: 15_000,
    maxEpochBytes: 64 * 1024 * 1024,
    maxConcurrentEpochs: 3,
    idlePollMaxMs: 500,
    leaseMs: 8_000,
    retainedCheckpoints: 2,
    restart: { kind: 'exponential', firstMs: 100, maxMs: 2_000 },
    tolerableFailures: Number.POSITIVE_INFINITY,
    refusalTimeoutMs: 20_000,
    minPauseMs: 0,
    poisonAttempts: Number.POSITIVE_INFINITY,
    ...options.settings,
    ...world.person.says(world.table.row(JOB)),
    startAt,
  };
}
