import { expect, it } from 'vitest';
import { drawWorld, parallelismOf } from './draw.ts';
import type { Call, Fault } from './kernel/faults.ts';
import { archiveOf, replayed, writesIn } from './replayed.ts';
import { JOB } from './sim-job.ts';
import { FaultyUserCode, faultless, type UserCode } from './user-code.ts';
import { World } from './world.ts';
import type { WorldOptions } from './world-options.ts';

const SEEDS = 60;

/** A history in which every epoch is kept. Each source subtask reads one partition: how several mix is left to the fetches. */
function historyOf(seed: number): WorldOptions {
  const drawn = drawWorld(seed, { topicChanges: [], topicChangeAt: undefined, updateAtMs: undefined });
  const { job, inputPartitions, faults, userCode } = drawn;
  const widths = [1, 2, 3].map((width) => parallelismOf(job, { source: inputPartitions, operator: width, sink: width }));
  const faultAt = (call: Call): Fault | undefined => {
    const fault = faults(call);
    return fault?.fault === 'update' || fault?.fault === 'command' ? undefined : fault;
  };
  return {
    ...drawn,
    ...(userCode !== undefined && { userCode: { ...userCode, leavesOut: () => true } }),
    faults: faultAt,
    settings: { ...drawn.settings, retainedCheckpoints: 100_000 },
    parallelism: (coordinator) => widths[coordinator % widths.length] ?? {},
  };
}

/** What failed now and then does not any more; what no serde can read still cannot be. */
function mended(seed: number): UserCode {
  const { lines } = new FaultyUserCode({ seed, chance: 0, untilMs: 0, nowMs: () => 0 });
  return { ...faultless, lines };
}

it(`every epoch of the histories of ${SEEDS} seeds, faults and changes of parallelism included, is the same when it is run again`, async () => {
  let epochs = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const options = historyOf(seed);
    const world = new World(options);
    const outcome = await world.run();
    expect(outcome.violations, `seed ${seed}`).toEqual([]);
    const last = world.table.row(JOB)?.lastCompleted?.epoch ?? 0;
    if (last === 0) continue;
    const { replay, asked } = archiveOf(world, options, options.job.define(world.build, options.startingOffsets, mended(seed)));
    for (let epoch = 1; epoch <= last; epoch++) {
      const [again] = await replayed(replay, epoch, epoch).catch((e) => [{outcome: String(e.stack)} as any]);
      if (again?.outcome !== 'equal') { console.log(`seed ${seed}, epoch ${epoch}, job ${options.job.name}: ${JSON.stringify(again).slice(0,1500)}`); break; }
      epochs++;
    }
    expect(writesIn(asked), `seed ${seed}`).toEqual([]);
  }
  expect(epochs).toBeGreaterThan(SEEDS);
}, 600_000);
