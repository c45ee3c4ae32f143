import ts from 'typescript';

/*
 * A mutant changes nothing in a run that never comes to its place. So the tests run once with a probe before every
 * statement and in every function, and a mutant is tried only in the test files and seeds that met its probe.
 */

/** The probe is a call of this global. */
const PROBE = '__reach';
/** Between the first numbers of two probed files: no file is as long. */
export const PROBES_APART = 1_000_000;

/** The number of the probe that is met whenever this node runs; undefined when none is sure to be. */
export function pointOf(node: ts.Node): number | undefined {
  for (let at = node; at !== undefined; at = at.parent) if (kindOf(at) !== undefined) return at.getStart();
  return undefined;
}

/** The source with its probes. Their numbers are positions, and begin at `base`. */
export function withProbes(source: string, base: number): string {
  const tree = ts.createSourceFile('probed.ts', source, ts.ScriptTarget.ESNext, true);
  let [probed, taken] = ['', 0];
  visit(tree);
  return probed + source.slice(taken);

  function insert(at: number, text: string): void {
    probed += source.slice(taken, at) + text;
    taken = at;
  }

  function visit(node: ts.Node): void {
    const probe = `${PROBE}(${base + node.getStart()})`;
    const kind = kindOf(node);
    if (kind === 'listed') insert(node.getStart(), `${probe}; `);
    if (kind === 'single') insert(node.getStart(), `{ ${probe}; `);
    const body = kind === 'function' ? (node as ts.FunctionLikeDeclaration).body : undefined;
    ts.forEachChild(node, (child) => {
      if (child !== body) return visit(child);
      const isBlock = ts.isBlock(child);
      insert(child.getStart() + (isBlock ? 1 : 0), isBlock ? ` ${probe};` : `(${probe}, `);
      visit(child);
      if (!isBlock) insert(child.getEnd(), ')');
    });
    if (kind === 'single') insert(node.getEnd(), ' }');
  }
}

/** A statement in a list, one that is alone behind an `if`, `else` or loop, or a function; undefined: no probe belongs to it. */
function kindOf(node: ts.Node): 'listed' | 'single' | 'function' | undefined {
  if (ts.isFunctionLike(node)) return (node as ts.FunctionLikeDeclaration).body === undefined ? undefined : 'function';
  if (!ts.isStatement(node) || ts.isBlock(node) || isDeclaration(node)) return undefined;
  const { parent } = node;
  if (ts.isBlock(parent) || ts.isSourceFile(parent) || ts.isCaseOrDefaultClause(parent)) return 'listed';
  return ts.isIfStatement(parent) || ts.isIterationStatement(parent, false) ? 'single' : undefined;
}

function isDeclaration(node: ts.Node): boolean {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node)
  );
}
