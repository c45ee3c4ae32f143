import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** Something that an author can name: an export of an entry point of the package, or a member of one. */
export interface PublicName {
  /** `DataStream.map`. */
  readonly name: string;
  /** The entry point that exports it: `onceflow/testing`. */
  readonly entry: string;
  /** `lib/api/streams.ts:27`. */
  readonly place: string;
  readonly kind: 'function' | 'method' | 'other';
  /** What its docstring says before any tag; empty: it has none. */
  readonly purpose: string;
  readonly examples: readonly string[];
}

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
};

/** Of each entry point its source: `onceflow/testing` is `lib/testing/index.ts`. */
export const entryPoints: ReadonlyMap<string, string> = new Map(
  Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === 'string' ? [] : [[`onceflow${entry.slice(1)}`, target.types.replace('./dist/', '').replace('.d.ts', '.ts')] as const],
  ),
);

/** By reading the sources alone: what the compiler would infer is not asked. */
export function publicNames(): readonly PublicName[] {
  const names = new Map<string, PublicName>();
  for (const [entry, file] of entryPoints)
    for (const exported of exportsOf(file))
      for (const found of namesIn(entry, exported)) if (!names.has(found.name)) names.set(found.name, found);
  return [...names.values()];
}

/** What a file exports, by name. */
export function exportedNames(file: string): readonly string[] {
  return [...new Set(exportsOf(file).map(({ name }) => name))];
}

type Declaration =
  | ts.InterfaceDeclaration
  | ts.ClassDeclaration
  | ts.TypeAliasDeclaration
  | ts.FunctionDeclaration
  | ts.VariableDeclaration;

interface Exported {
  readonly name: string;
  readonly file: string;
  readonly declaration: Declaration;
}

const sources = new Map<string, ts.SourceFile>();

function sourceOf(file: string): ts.SourceFile {
  const source = sources.get(file) ?? ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext, true);
  sources.set(file, source);
  return source;
}

/** All that a file exports, from wherever it comes; overloads one by one. */
function exportsOf(file: string): readonly Exported[] {
  const source = sourceOf(file);
  const own = source.statements
    .filter(isExported)
    .flatMap(declarationsIn)
    .map((each) => ({ ...each, file }));
  const handedOn = source.statements.filter(ts.isExportDeclaration).flatMap(({ exportClause, moduleSpecifier }) => {
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return [];
    const from = exportsOf(join(dirname(file), moduleSpecifier.text));
    if (exportClause === undefined) return from;
    if (!ts.isNamedExports(exportClause)) throw new Error(`${file}: export * as is not read here`);
    return exportClause.elements.flatMap(({ name, propertyName }) =>
      from.filter((each) => each.name === (propertyName ?? name).text).map((each) => ({ ...each, name: name.text })),
    );
  });
  return [...own, ...handedOn];
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
}

function declarationsIn(statement: ts.Statement): { readonly name: string; readonly declaration: Declaration }[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map((declaration) => ({ name: declaration.name.getText(), declaration }));
  if (isNamed(statement) && statement.name !== undefined) return [{ name: statement.name.text, declaration: statement }];
  return [];
}

function isNamed(
  statement: ts.Statement,
): statement is ts.InterfaceDeclaration | ts.ClassDeclaration | ts.TypeAliasDeclaration | ts.FunctionDeclaration {
  return (
    ts.isInterfaceDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isFunctionDeclaration(statement)
  );
}

function namesIn(entry: string, { name, file, declaration }: Exported): PublicName[] {
  const overloads = exportsOf(file).filter((each) => each.name === name);
  const all = overloads.length > 0 ? overloads.map((each) => each.declaration) : [declaration];
  const isFunction = ts.isFunctionDeclaration(declaration);
  const of = { entry, kind: isFunction ? ('function' as const) : ('other' as const) };
  return [described(name, all, of), ...membersOf(name, entry, declaration)];
}

/** Of an interface, a class or an object type, with those of what it is made of in the same file and that has no public name itself. */
function membersOf(owner: string, entry: string, declaration: Declaration): PublicName[] {
  const byName = Map.groupBy(memberNodes(declaration), (member) => member.name?.getText() ?? '');
  return [...byName].map(([name, nodes]) => {
    const isMethod = nodes.some((node) => ts.isMethodSignature(node) || ts.isMethodDeclaration(node));
    return described(`${owner}.${name}`, nodes, { entry, kind: isMethod ? 'method' : 'other' });
  });
}

type Member = ts.TypeElement | ts.ClassElement;

function memberNodes(declaration: ts.Node): readonly Member[] {
  if (ts.isInterfaceDeclaration(declaration) || ts.isClassDeclaration(declaration)) {
    const from = declaration.heritageClauses?.flatMap(({ types }) => types.flatMap(({ expression }) => hidden(expression))) ?? [];
    return [...declaration.members.filter(isPublic), ...from];
  }
  if (ts.isTypeAliasDeclaration(declaration)) return memberNodes(declaration.type);
  if (ts.isTypeLiteralNode(declaration)) return declaration.members.filter(isPublic);
  if (ts.isUnionTypeNode(declaration) || ts.isIntersectionTypeNode(declaration)) return declaration.types.flatMap(memberNodes);
  if (ts.isParenthesizedTypeNode(declaration)) return memberNodes(declaration.type);
  return ts.isTypeReferenceNode(declaration) ? hidden(declaration.typeName) : [];
}

/** The members of an interface of the same file that is not exported. */
function hidden(name: ts.Node): readonly Member[] {
  const found = name
    .getSourceFile()
    .statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === name.getText() && !isExported(each));
  return found === undefined ? [] : memberNodes(found);
}

/** What overrides is described where it comes from; what has a symbol for a name is for the compiler alone. */
function isPublic(member: Member): boolean {
  const { name } = member;
  if (name === undefined || ts.isPrivateIdentifier(name) || ts.isComputedPropertyName(name)) return false;
  const modifiers = ts.canHaveModifiers(member) ? (ts.getModifiers(member) ?? []) : [];
  return !modifiers.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.OverrideKeyword);
}

function described(name: string, nodes: readonly ts.Node[], { entry, kind }: Pick<PublicName, 'entry' | 'kind'>): PublicName {
  const [first] = nodes;
  if (first === undefined) throw new Error(`${name} is declared nowhere`);
  const source = first.getSourceFile();
  const docs = nodes.flatMap((node) => ts.getJSDocCommentsAndTags(node)).filter(ts.isJSDoc);
  return {
    name,
    entry,
    kind,
    place: `${source.fileName}:${source.getLineAndCharacterOfPosition(first.getStart()).line + 1}`,
    purpose: docs
      .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
      .join(' ')
      .trim(),
    examples: docs.flatMap(examplesIn),
  };
}

/** As they are written: the parser takes an @ in them for another tag. */
function examplesIn(doc: ts.JSDoc): string[] {
  const lines = doc
    .getText()
    .split('\n')
    .map((line) => line.replace(/^\s*(\/\*\*|\*\/|\*) ?/, '').replace(/\s*\*\/$/, ''));
  const examples: string[][] = [];
  let current: string[] | undefined;
  for (const line of lines) {
    if (line.startsWith('@')) {
      current = line.startsWith('@example') ? [] : undefined;
      if (current !== undefined) examples.push(current);
    } else current?.push(line);
  }
  return examples.map((each) => each.join('\n').trim());
}
