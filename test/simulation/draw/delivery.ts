import { Dice, hashOf } from '../kernel/dice.ts';
import { kindsOf } from './fault-kinds.ts';
import { focusOf } from './focus.ts';
import type { Part } from './part.ts';

function mayBeDeleted(seed: number): boolean {
  const focus = focusOf(seed);
  return focus === 'commands' || focus === 'savepoints' || (focus === 'anything' && kindsOf(seed).kinds.includes('command'));
}

/**
 * Most jobs deliver exactly once; some at least once; and some change that with each coordinator. Not where the job may be
 * deleted, or starts from a savepoint: what a late sender of the incarnation before sends again cannot be told from what the present one sends.
 */
export const drawDelivery: Part = ({ seed }, focus) => {
  const dice = new Dice(hashOf(seed, 'delivery'));
  const kind = dice.next();
  if (kind < 0.6 || ['savepoints', 'updates', 'pins', 'moves'].includes(focus) || mayBeDeleted(seed))
    return { delivery: () => 'exactly-once' };
  if (kind < 0.8) return { delivery: () => 'at-least-once' };
  const drawn = Array.from({ length: 7 }, () => dice.pick(['exactly-once', 'at-least-once'] as const));
  return { delivery: (coordinator) => drawn[coordinator % drawn.length] ?? 'exactly-once' };
};
