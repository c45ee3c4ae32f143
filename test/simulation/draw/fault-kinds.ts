import type { Command } from '../commands.ts';
import { Dice, hashOf } from '../kernel/dice.ts';
import type { Call, Fault, FaultKind } from '../kernel/faults.ts';

/** Clocks go wrong by themselves, whatever else a seed is about. */
export type DrawnKind = Exclude<FaultKind, 'clock-step'>;

/** How likely each fault is at one call, before a seed scales it. */
export const RATES: Readonly<Record<DrawnKind, number>> = {
  crash: 0.006,
  freeze: 0.006,
  lose: 0.02,
  late: 0.012,
  error: 0.03,
  slow: 0.015,
  twice: 0.04,
  cold: 0.05,
  'power-cut': 0.001,
  rival: 0.002,
  depose: 0.003,
  'hand-over': 0.0015,
  stop: 0.0015,
  command: 0.002,
  update: 0.0012,
  outage: 0.0012,
  partition: 0.002,
};
const KINDS = Object.keys(RATES) as DrawnKind[];

const COMMANDS: readonly Command[] = ['stop', 'cancel', 'delete'];

/** Which kinds of faults a seed has, and how often: the dice go on being thrown. */
export function kindsOf(seed: number): { readonly dice: Dice; readonly scale: number; readonly kinds: readonly DrawnKind[] } {
  const dice = new Dice(hashOf(seed, 'faults'));
  const scale = dice.spread(0.2, 4);
  return { dice, scale, kinds: KINDS.filter(() => dice.chance(0.55)) };
}

/** A fault of this kind at this call. Undefined: it does not befall such a call. */
export function faultOf(kind: DrawnKind, call: Call, dice: Dice, longestMs: number): Fault | undefined {
  switch (kind) {
    case 'crash':
      return { fault: 'crash', when: dice.pick(['before', 'after']) };
    case 'freeze':
      return { fault: 'freeze', when: dice.pick(['before', 'after']), forMs: dice.spread(200, longestMs) };
    case 'lose':
      return { fault: 'lose', what: dice.pick(['request', 'answer']) };
    case 'late':
      return { fault: 'late', byMs: dice.spread(20, longestMs) };
    case 'slow':
      return { fault: 'slow', byMs: dice.spread(20, Math.min(longestMs, 8_000)) };
    case 'twice':
      return call.service === 'functions' ? { fault: 'twice', byMs: dice.spread(1, longestMs) } : undefined;
    case 'cold':
      return call.service === 'functions' ? { fault: 'cold' } : undefined;
    case 'outage':
      return { fault: 'outage', forMs: dice.spread(100, longestMs) };
    case 'partition':
      return { fault: 'partition', forMs: dice.spread(100, longestMs) };
    case 'depose':
      return call.caller.role === 'coordinator' ? { fault: 'depose', forMs: dice.spread(100, longestMs) } : undefined;
    case 'command':
      if (call.caller.role === 'coordinator')
        return { fault: 'command', run: dice.pick(COMMANDS), forMs: dice.chance(0.5) ? 0 : dice.spread(100, longestMs) };
      // A command that stands still while somebody else does the same, and the job is started again.
      if (call.caller.role === 'command') return { fault: 'command', run: 'delete', forMs: dice.between(5_000, 70_000) };
      return undefined;
    case 'rival':
      return call.caller.role === 'coordinator' || call.caller.role === 'command' ? { fault: kind } : undefined;
    case 'hand-over':
    case 'stop':
      return call.caller.role === 'coordinator' ? { fault: kind } : undefined;
    default:
      return { fault: kind };
  }
}
