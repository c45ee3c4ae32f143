import type { FunctionTarget } from '../lib/ports/function-invoker.ts';

/**
 * Spreads the subtasks that come to a worker over its processes: each new one goes where the fewest of its stage are, of those where the
 * fewest are in all, and stays there.
 */
export function createSpread(processes: number): (target: FunctionTarget) => number {
  const placed = new Map<string, number>();
  const counts = new Map<string, number[]>();
  const inAll = zeros(processes);
  return ({ role, stage, subtask }) => {
    const name = `${role} ${stage} ${subtask}`;
    const known = placed.get(name);
    if (known !== undefined) return known;
    const ofStage = counts.get(`${role} ${stage}`) ?? zeros(processes);
    counts.set(`${role} ${stage}`, ofStage);
    const [at = 0] = [...inAll.keys()].sort((a, b) => (ofStage[a] ?? 0) - (ofStage[b] ?? 0) || (inAll[a] ?? 0) - (inAll[b] ?? 0) || a - b);
    ofStage[at] = (ofStage[at] ?? 0) + 1;
    inAll[at] = (inAll[at] ?? 0) + 1;
    placed.set(name, at);
    return at;
  };
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}
