/** Runs one mutant, in a process of its own, until a seed catches it: node one.ts --mutant <index> --seeds <most>. */
import { parseArgs } from 'node:util';
import { mutants } from './mutants.ts';
import { mutate } from './mutate.ts';

export interface MutantResult {
  readonly seeds: number;
  /** The seed that caught it. */
  readonly seed: number | undefined;
  readonly invariant: string | undefined;
  readonly message: string | undefined;
}

const { values } = parseArgs({ options: { mutant: { type: 'string', default: '' }, seeds: { type: 'string', default: '1000' } } });
const mutant = mutants[Number(values.mutant)];
if (mutant === undefined) throw new Error(`there is no mutant ${values.mutant}`);
const applied = mutate(mutant.edits);
const [{ runWorld }, { drawWorld }] = await Promise.all([import('../run.ts'), import('../draw.ts')]);
Error.stackTraceLimit = 0;
let result: MutantResult | undefined;
const most = Number(values.seeds);
for (let seed = 1; seed <= most && result === undefined; seed++) {
  const [violation] = (await runWorld(drawWorld(seed, {}, mutant.focus))).violations;
  if (violation !== undefined) result = { seeds: seed, seed, ...violation };
}
if (!applied()) throw new Error(`a file of the mutant "${mutant.name}" was not loaded`);
process.send?.(result ?? { seeds: most, seed: undefined, invariant: undefined, message: undefined });
