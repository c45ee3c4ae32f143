import type { KeyGroupRange } from './references.ts';

/** Key group of a key with that murmur2 hash, made positive as Kafka's partitioner does: the unit of state files and rescaling. */
export function keyGroupOf(hash: number, maxParallelism: number): number {
  return (hash & 0x7fffffff) % maxParallelism;
}

/** The key groups of one subtask: contiguous, all of them covered once, sizes equal but for one. */
export function keyGroupRange(subtask: number, parallelism: number, maxParallelism: number): KeyGroupRange {
  if (parallelism > maxParallelism)
    throw new RangeError(`parallelism ${parallelism} exceeds maxParallelism ${maxParallelism}: a subtask would have no key group`);
  return {
    first: Math.ceil((subtask * maxParallelism) / parallelism),
    last: Math.ceil(((subtask + 1) * maxParallelism) / parallelism) - 1,
  };
}

/** The subtask whose range holds the key group. */
export function subtaskOf(keyGroup: number, parallelism: number, maxParallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}
