import { drawWorld } from '../simulation/draw.ts';
import type { Call } from '../simulation/kernel/faults.ts';
import { decodeBatch } from '../simulation/models/wire.ts';
import { parallelismOf } from '../simulation/parallelism.ts';
import { runWorld } from '../simulation/run.ts';
import { INPUT } from '../simulation/sim-job.ts';
import type { InputBatch, Outcome, WorldOptions } from '../simulation/world-options.ts';
import { type History, historyOf, type Sent, type Shown } from './history.ts';
import { listAppend } from './list-append.ts';

export interface Simulated {
  readonly history: History;
  readonly outcome: Outcome;
}

/** Longer lines are drawn to be too large for something. */
const LONGEST_LINE = 1_000;

/**
 * The history of the list-append job in the world of a seed, with its faults. Left out is what makes output a person's decision: topics that are
 * deleted or made anew, jobs that are deleted, and starts from savepoints. Undefined: it is the world of an author whose functions fail, or of records
 * that are too large.
 */
export async function simulatedHistory(seed: number): Promise<Simulated | undefined> {
  const shown: Shown[] = [];
  const drawn = drawWorld(seed, {}, 'anything');
  const { inputPartitions } = drawn;
  const input = drawn.input.filter(({ topic = INPUT, partition }) => topic === INPUT && partition < inputPartitions);
  if (drawn.userCode !== undefined || input.some(({ lines }) => lines.some(({ length }) => length > LONGEST_LINE))) return undefined;
  const faults = (call: Call) => {
    const fault = drawn.faults(call);
    return fault?.fault === 'command' && fault.run === 'delete' ? undefined : fault;
  };
  const options: WorldOptions = {
    ...drawn,
    ...{ job: listAppend, input, faults, startingOffsets: 'earliest', delivery: () => 'exactly-once' },
    ...{ topicChanges: [], topicChangeAt: undefined, savepoints: [], rescales: [], filesDeniedAtMs: [], strangers: [], strands: false },
    parallelism: (coordinator) => parallelismOf(listAppend, { source: 1 + (coordinator % 2), operator: 1 + (seed % 2), sink: 1 }),
    updateAtMs: undefined,
    prepare: ({ broker, scheduler }) => {
      const { onEnd } = broker;
      broker.onEnd = (end) => {
        onEnd(end);
        if (!end.commit || end.partition.topic !== 'output') return;
        for (const { bytes } of end.batches)
          for (const { value } of decodeBatch(bytes).content) shown.push({ text: String(value), atMs: scheduler.nowMs });
      };
    },
  };
  const outcome = await runWorld(options);
  return { history: historyOf(sentIn(input), shown), outcome };
}

/** What is committed of the input, each word with its place: what the job takes for one. */
function sentIn(input: readonly InputBatch[]): Sent[] {
  let place = 0;
  return input
    .toSorted((one, other) => one.atMs - other.atMs)
    .filter(({ how }) => how !== 'abort')
    .flatMap(({ partition, lines, atMs }) =>
      lines.flatMap((line) => {
        const token = line.slice(line.indexOf('#') + 1);
        const words = line.split(' ').filter((word) => !word.startsWith('#'));
        return words.map((key, index) => ({ key, element: `${token}.${index}`, partition, place: place++, atMs }));
      }),
    );
}
