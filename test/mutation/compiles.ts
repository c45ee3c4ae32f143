import { join } from 'node:path';
import ts from 'typescript';

/** A check of one changed file against the rest as it is: a mutant that the compiler refuses needs no test. */
export function createCompiler(root: string, files: readonly string[]): (file: string, source: string) => boolean {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
  );
  // A mutant may well leave a name without use.
  const options: ts.CompilerOptions = { ...config?.options, noUnusedLocals: false, noUnusedParameters: false };
  const host = ts.createCompilerHost(options, true);
  const { getSourceFile } = host;
  const parsed = new Map<string, ts.SourceFile | undefined>();
  let changed: { readonly path: string; readonly source: string } | undefined;
  host.getSourceFile = (path, ...how) => {
    if (path === changed?.path) return ts.createSourceFile(path, changed.source, how[0], true);
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, ...how));
    return parsed.get(path);
  };
  const rootNames = files.map((file) => join(root, file));
  const oldProgram = ts.createProgram({ rootNames, options, host });

  return (file, source) => {
    const path = join(root, file);
    changed = { path, source };
    const program = ts.createProgram({ rootNames, options, host, oldProgram });
    const mutated = program.getSourceFile(path);
    return program.getSyntacticDiagnostics(mutated).length === 0 && program.getSemanticDiagnostics(mutated).length === 0;
  };
}

function fail(diagnostic: ts.Diagnostic): never {
  throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
}
