import { describeFault } from './kernel/faults.ts';
import type { Outcome } from './world-options.ts';

/** A failed run for people: what was violated, the faults, and the history line for line. */
export function reportOf(outcome: Outcome, shrunkFrom: { readonly faults: number; readonly lines: number } | undefined): string {
  const faults = outcome.injected.map(({ call, fault }) => `  ${describeFault(fault)}: ${call.id} (${call.about})`);
  const smaller = shrunkFrom === undefined ? '' : ` (shrunk from ${shrunkFrom.faults} faults and ${shrunkFrom.lines} lines)`;
  return [
    `seed ${outcome.seed} violates ${[...new Set(outcome.violations.map(({ invariant }) => invariant))].join(', ')}${smaller}:`,
    ...outcome.violations.map(({ invariant, message }) => `  ${invariant}: ${message}`),
    `${faults.length} faults:`,
    ...faults,
    'history (seconds, actor, what):',
    ...outcome.history,
    `replay: npm run simulate -- --seed ${outcome.seed}`,
  ].join('\n');
}
