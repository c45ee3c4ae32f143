import type { Mutant } from './mutant.ts';
import { attempts } from './rows/attempts.ts';
import { commits } from './rows/commits.ts';
import { coordination } from './rows/coordination.ts';
import { formats } from './rows/formats.ts';
import { garbage } from './rows/garbage.ts';
import { kafka } from './rows/kafka.ts';
import { operators } from './rows/operators.ts';
import { otherSinks } from './rows/other-sinks.ts';
import { stages } from './rows/stages.ts';
import { state } from './rows/state.ts';
import { stores } from './rows/stores.ts';

/** Every protective line that is switched off, by the room in which it is. */
export const mutants: readonly Mutant[] = [
  ...attempts,
  ...commits,
  ...coordination,
  ...garbage,
  ...kafka,
  ...otherSinks,
  ...stages,
  ...operators,
  ...state,
  ...formats,
  ...stores,
];
