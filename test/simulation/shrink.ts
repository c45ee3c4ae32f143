import type { Fault, Faults } from './kernel/faults.ts';
import { runWorld } from './run.ts';
import type { InputBatch, Outcome, WorldOptions } from './world-options.ts';

/** Runs that shrinking may take. */
const MAX_RUNS = 300;

interface Case {
  readonly faults: readonly (readonly [call: string, fault: Fault])[];
  readonly input: readonly InputBatch[];
}

/**
 * Looks for a smaller history that fails the same way: fewer faults, fewer records. The faults of a failed run are
 * replayed by the names of the calls that they befell; what is left out is left out for good.
 */
export async function shrink(options: WorldOptions, failed: Outcome): Promise<Outcome> {
  const invariant = failed.violations[0]?.invariant;
  if (invariant === undefined) return failed;
  let runs = 0;
  const fails = async (smaller: Case): Promise<boolean> => {
    if (runs++ >= MAX_RUNS) return false;
    const outcome = await runWorld({ ...options, history: false, input: smaller.input, faults: scripted(smaller.faults) });
    return outcome.violations[0]?.invariant === invariant;
  };
  let smallest: Case = { faults: failed.injected.map(({ call, fault }) => [call.id, fault] as const), input: options.input };
  if (!(await fails(smallest))) return failed;
  for (let size = Number.POSITIVE_INFINITY; smallest.faults.length + smallest.input.length < size; ) {
    size = smallest.faults.length + smallest.input.length;
    const { input } = smallest;
    const faults = await fewer(smallest.faults, (some) => fails({ faults: some, input }));
    smallest = { faults, input: await fewer(input, (some) => fails({ faults, input: some })) };
  }
  return runWorld({ ...options, history: true, input: smallest.input, faults: scripted(smallest.faults) });
}

function scripted(faults: Case['faults']): Faults {
  const byCall = new Map(faults);
  return (call) => byCall.get(call.id);
}

/** Takes away halves, quarters, … single items, as long as it still fails. */
async function fewer<T>(items: readonly T[], fails: (some: readonly T[]) => Promise<boolean>): Promise<readonly T[]> {
  let left = items;
  for (let chunk = Math.ceil(left.length / 2); chunk >= 1 && left.length > 0; chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2)) {
    for (let at = 0; at < left.length; ) {
      const without = [...left.slice(0, at), ...left.slice(at + chunk)];
      if (await fails(without)) left = without;
      else at += chunk;
    }
  }
  return left;
}
