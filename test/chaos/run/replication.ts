import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from '../../simulation/kernel/dice.ts';
import { type PartitionReplicas, replicasOf } from '../../support/replicas.ts';
import type { Scene } from './scene.ts';

const LOOK_EVERY_MS = 200;

/** Partitions that the job depends on: its topics', and those in which the brokers keep transactions and groups. None when no broker answers. */
export function partitions({ brokers, input, output }: Scene): Promise<PartitionReplicas[]> {
  return replicasOf([input, output, '__transaction_state', '__consumer_offsets'], brokers.addresses).catch(() => []);
}

/** One of the output's; undefined when no broker answers, or it has no leader. */
export async function someOutputPartition(scene: Scene, dice: Dice): Promise<PartitionReplicas | undefined> {
  const number = dice.next();
  const all = (await partitions(scene)).filter(({ topic }) => topic === scene.output);
  const one = all[Math.floor(number * all.length)];
  return one === undefined || one.leader < 0 ? undefined : one;
}

/** Waits, at most this long, until the partitions are as wanted. False when they are not, or nobody answers. */
export async function partitionsBecome(
  scene: Scene,
  withinMs: number,
  isWanted: (all: readonly PartitionReplicas[]) => boolean,
): Promise<boolean> {
  for (const untilMs = Date.now() + withinMs; Date.now() < untilMs; await sleep(LOOK_EVERY_MS)) {
    const all = await partitions(scene);
    if (all.length > 0 && isWanted(all)) return true;
  }
  return false;
}
