import type { Focus } from '../draw/focus.ts';
import type { Edit } from './mutate.ts';

export interface Mutant {
  /** The protective line that is switched off, as a sentence. */
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Only seeds about this are run: others come too seldom to where the line matters. */
  readonly focus?: Focus;
}

export const edit = (file: string, find: string, replace: string): Edit => ({ file, find, replace });
