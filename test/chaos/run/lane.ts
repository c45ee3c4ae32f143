import type { Dice } from '../../simulation/kernel/dice.ts';
import type { Scene } from './scene.ts';

/** One kind of fault. Resolves, when it is over, with what was done; undefined when there was nothing to do it to. */
export interface FaultKind {
  readonly name: string;
  /** How often it comes, against the others of its lane. */
  readonly weight: number;
  run(scene: Scene, dice: Dice): Promise<string | undefined>;
}

/** Faults of one lane follow each other; lanes run beside each other, so that faults of two kinds meet. */
export interface Lane {
  readonly name: string;
  /** From the job's recovery to the next fault. */
  readonly pauseSeconds: readonly [number, number];
  readonly kinds: readonly FaultKind[];
}

export const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
