import { Dice, hashOf } from '../kernel/dice.ts';

/**
 * What some seeds are about: histories that chance alone makes too seldom. `records`, `sources-anew`, `elections`, `reach`, `time`, `windows`,
 * `connected`, `tables`, `routing`, `topics-away`, `starts`, `rescales`, `updates`, `held`, `pins` and `moves` are drawn for mutants only.
 */
export type Focus =
  | 'anything'
  | 'reach'
  | 'time'
  | 'windows'
  | 'connected'
  | 'tables'
  | 'routing'
  | 'topics-away'
  | 'doubt'
  | 'records'
  | 'sources-anew'
  | 'elections'
  | 'starts'
  | 'rescales'
  | 'held'
  | 'garbage'
  | 'savepoints'
  | 'pins'
  | 'moves'
  | 'updates'
  | 'pipeline'
  | 'commands';

/** What a seed is about, where nobody says it. */
export function focusOf(seed: number): Focus {
  return new Dice(hashOf(seed, 'focus')).pick([
    'anything',
    'anything',
    'anything',
    'anything',
    'anything',
    'savepoints',
    'doubt',
    'garbage',
    'pipeline',
    'commands',
  ]);
}
