import ts from 'typescript';
import { type Change, changesOf, isLeftAlone } from './operators.ts';
import { pointOf } from './reach.ts';

/** One change of one source file. */
export interface Mutant extends Change {
  /** From the root of the repository. */
  readonly file: string;
  readonly line: number;
  /** The named functions around it, from the outside in. */
  readonly within: string;
  /** The lines that it changes, as they are and as they would be. */
  readonly before: string;
  readonly after: string;
  /** From 1: the same lines may be there more than once in a function. */
  readonly nth: number;
  /** The probe that tells whether the place is reached; undefined: it runs when the file is loaded. */
  readonly point: number | undefined;
}

/** Every mutant of a source text. Two changes that come to the same text are one. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ESNext, true);
  // What changes nothing is no mutant.
  const made = new Set(['']);
  const seen = new Map<string, number>();
  const mutants: Mutant[] = [];
  ts.forEachChild(tree, visit);
  return mutants;

  function visit(node: ts.Node): void {
    if (isLeftAlone(node)) return;
    for (const change of changesOf(node)) add(node, change);
    ts.forEachChild(node, visit);
  }

  function add(node: ts.Node, change: Change): void {
    const difference = differenceOf(change, source);
    if (made.has(difference)) return;
    made.add(difference);
    const mutated = applied(change, source);
    const within = namesAround(node);
    const [from, to] = [source.lastIndexOf('\n', change.start - 1) + 1, endOfLine(source, change.end)];
    const [before, after] = [inOneLine(source.slice(from, to)), inOneLine(mutated.slice(from, to + mutated.length - source.length))];
    const what = [within, before, after].join('\n');
    const nth = (seen.get(what) ?? 0) + 1;
    seen.set(what, nth);
    const line = tree.getLineAndCharacterOfPosition(change.start).line + 1;
    mutants.push({ file, line, within, before, after, nth, point: pointOf(node), ...change });
  }
}

export function applied({ start, end, text }: Pick<Change, 'start' | 'end' | 'text'>, source: string): string {
  return source.slice(0, start) + text + source.slice(end);
}

/** The change without what it leaves as it is, so that two that come to the same are seen to. */
function differenceOf({ start, end, text }: Change, source: string): string {
  let [from, to, last] = [start, end, text.length];
  while (from < to && from - start < last && source[from] === text[from - start]) from++;
  while (to > from && last > from - start && source[to - 1] === text[last - 1]) {
    to--;
    last--;
  }
  const put = text.slice(from - start, last);
  return from === to && put === '' ? '' : `${from} ${to} ${put}`;
}

/** What stays the same when lines move: by it mutants are drawn, reports go on, and equivalent ones are known. */
export function keyOf({
  file,
  within,
  before,
  after,
  nth = 1,
}: Pick<Mutant, 'file' | 'within' | 'before' | 'after'> & { nth?: number }): string {
  return JSON.stringify([file, within, before, after, nth]);
}

function namesAround(node: ts.Node): string {
  const names: string[] = [];
  for (let at = node.parent; at !== undefined; at = at.parent) {
    const named = ts.isArrowFunction(at) || ts.isFunctionExpression(at) ? at.parent : at;
    const isFunction = ts.isFunctionLike(at) || ts.isClassLike(at);
    if (isFunction && 'name' in named && named.name !== undefined) names.unshift((named.name as ts.Node).getText());
  }
  return names.join('.');
}

function endOfLine(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end < 0 ? source.length : end;
}

function inOneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
