import { misspelt } from '../config/nearest.ts';
import { JobDefinitionError } from '../graph/job.ts';

/** Every option of `O`, whichever of several forms has it. */
export type EveryOption<O> = Readonly<Record<O extends unknown ? keyof O & string : never, true>>;

/**
 * Throws `JobDefinitionError` at an option that there is not: misspelt, its default would hold, and nobody would be told. The compiler finds
 * it too, but not in JavaScript, nor where types are stripped and nothing compiles. @param where begins the message
 */
export function expectKnown<O>(options: O, known: EveryOption<O>, where: string): void {
  refuse(strangeIn(options, known)[0], Object.keys(known), where);
}

/** The same of an object that may hold more of the author's, which its functions use as `this`, say: what is likely to be misspelt is refused. */
export function expectNoneMisspelt<O>(options: O, known: EveryOption<O>, where: string): void {
  const names = Object.keys(known);
  const strange = strangeIn(options, known).find((name) => likely(name, names) !== undefined);
  refuse(strange, names, where);
}

function strangeIn(options: unknown, known: object): string[] {
  return Object.entries(options ?? {}).flatMap(([name, value]) => (value === undefined || Object.hasOwn(known, name) ? [] : [name]));
}

function refuse(strange: string | undefined, known: readonly string[], where: string): void {
  if (strange === undefined) return;
  const meant = likely(strange, known);
  const mend = meant === undefined ? '' : ` (the nearest is ${meant})`;
  throw new JobDefinitionError(`${where}: there is no option ${strange}${mend}; there are ${known.join(', ')}`);
}

/** A name without its unit, or in other capitals, is a likely one whatever its length. */
function likely(name: string, known: readonly string[]): string | undefined {
  const plain = name.toLowerCase();
  return known.find((each) => each.toLowerCase() === plain || each.toLowerCase() === `${plain}ms`) ?? misspelt(name, known);
}
