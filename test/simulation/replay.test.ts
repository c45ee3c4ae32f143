import { expect, it } from 'vitest';
import { drawWorld } from './draw.ts';
import type { Fault } from './kernel/faults.ts';
import { parallelismOf } from './parallelism.ts';
import { archiveOf, replayed, writesIn } from './replayed.ts';
import { JOB } from './sim-job.ts';
import { FaultyUserCode, faultless, type UserCode } from './user-code.ts';
import { World } from './world.ts';
import type { WorldOptions } from './world-options.ts';

const SEEDS = 30;

/** A history in which every epoch is kept. Each source subtask reads one partition: how several mix is left to the fetches. */
function historyOf(seed: number): WorldOptions {
  const drawn = drawWorld(seed, { topicChanges: [], topicChangeAt: undefined, updateAtMs: undefined });
  const { job, inputPartitions, faults, userCode } = drawn;
  const widths = [1, 2, 3].map((width) => parallelismOf(job, { source: inputPartitions, operator: width, sink: width }));
  return {
    ...drawn,
    ...(userCode !== undefined && { userCode: { ...userCode, leavesOut: () => true } }),
    faults: (call) => withoutOtherCode(faults(call)),
    settings: { ...drawn.settings, retainedCheckpoints: 100_000 },
    parallelism: (coordinator) => widths[coordinator % widths.length] ?? {},
  };
}

/** Nobody deploys another build, nor deletes the job. */
function withoutOtherCode(fault: Fault | undefined): Fault | undefined {
  return fault?.fault === 'update' || fault?.fault === 'command' ? undefined : fault;
}

/** What failed now and then does not any more; what no serde could read still cannot be read. */
function mended(seed: number): UserCode {
  const { lines } = new FaultyUserCode({ seed, chance: 0, untilMs: 0, nowMs: () => 0 });
  return { ...faultless, lines };
}

it(`every epoch of the histories of ${SEEDS} seeds, with faults, dead letters and changes of parallelism, is equal when it is run again`, async () => {
  const { stackTraceLimit } = Error;
  // Traces of errors that are part of the play cost more than the play.
  Error.stackTraceLimit = 0;
  try {
    let epochs = 0;
    for (let seed = 1; seed <= SEEDS; seed++) epochs += await checkSeed(seed);
    expect(epochs).toBeGreaterThan(10 * SEEDS);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}, 600_000);

/** Answers how many epochs there were. */
async function checkSeed(seed: number): Promise<number> {
  const options = historyOf(seed);
  const world = new World(options);
  const { violations } = await world.run();
  expect(violations, `seed ${seed}`).toEqual([]);
  const row = world.table.row(JOB);
  const last = row?.lastCompleted?.epoch ?? 0;
  // A job that was started from an epoch again has those before it in an incarnation that it has left.
  const first = (row?.retiredThrough ?? -1) + 2;
  if (last < first) return 0;
  const { replay, asked } = archiveOf(world, options, options.job.define(world.build, options.startingOffsets, mended(seed)));
  const epochs = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  const found = await Promise.all(epochs.map((epoch) => replayed(replay, epoch, epoch)));
  const wrong = found.flat().filter(({ outcome }) => outcome !== 'equal');
  expect(JSON.stringify(wrong), `seed ${seed}, job ${options.job.name}`).toBe('[]');
  // Without a gap, and from any epoch on: what one has made in memory the next begins with.
  const inOneGo = await replayed(replay, first, last);
  expect(
    inOneGo.map(({ epoch, outcome }) => `${epoch} ${outcome}`),
    `seed ${seed}`,
  ).toEqual(epochs.map((epoch) => `${epoch} equal`));
  expect(writesIn(asked), `seed ${seed}`).toEqual([]);
  return epochs.length;
}
