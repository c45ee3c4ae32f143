import type { EpochFigures } from '../../../lib/epoch/progress/epoch-figures.ts';

/** Of an epoch of three records that took 420 ms. */
export function figures(change: Partial<EpochFigures> = {}): EpochFigures {
  return {
    recordsIn: 3,
    recordsOut: 5,
    bytesIn: 120,
    lagMs: 900,
    recordsBehind: 0,
    behind: {},
    time: undefined,
    stateBytes: 4_096,
    epochMs: 420,
    sourceMs: 20,
    operatorMs: 30,
    sinkMs: 40,
    decisionMs: 10,
    ...change,
  };
}
