import { findSourceMap, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isPackaged, isUsers, shortPath } from './users-code.ts';

/** A variable that the job read while it was loaded, and where, as `file:line`. */
export interface EnvironmentRead {
  /** `*`: all that there are. */
  readonly name: string;
  readonly place: string;
}

/** What libraries ask on their own account, also when a job calls them: what terminal, whose machine, which Node. */
const OF_THE_MACHINE =
  /^(HOME|USER|LOGNAME|USERPROFILE|SHELL|PWD|PATH|TERM|COLORTERM|(NO|FORCE)_COLOR|CI|DEBUG|TMPDIR|LANG|LC_.*|NODE_.*|npm_.*|AWS_.*)$/;
const THIS = fileURLToPath(import.meta.url);

/** From now on notes what the job's own code reads of `process.env`, by itself or by way of a package. The answer: what it has read. */
export function watchEnvironment(): () => EnvironmentRead[] {
  const reads = new Map<string, EnvironmentRead>();
  const wholes = new Set<string>();
  const note = (name: string | symbol) => {
    if (typeof name !== 'string') return;
    const caller = callerOf(note);
    // A spread asks for the names, then for each of them.
    if (caller === undefined || wholes.has(caller.place) || (!caller.isDirect && OF_THE_MACHINE.test(name))) return;
    if (name === '*') wholes.add(caller.place);
    if (!reads.has(name)) reads.set(name, { name, place: caller.place });
  };
  process.env = new Proxy(process.env, {
    get(target, name) {
      note(name);
      return target[name as string];
    },
    has(target, name) {
      note(name);
      return name in target;
    },
    ownKeys(target) {
      note('*');
      return Reflect.ownKeys(target);
    },
  });
  // `import { env } from 'node:process'` gets it too.
  syncBuiltinESMExports();
  return () => [...reads.values()];
}

/** The place in the job's own code from which the environment is read; `isDirect` when no package is in between. */
function callerOf(from: (name: string) => void): { readonly place: string; readonly isDirect: boolean } | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  Error.prepareStackTrace = (_error, frames) => frames;
  const holder: { stack?: NodeJS.CallSite[] } = {};
  Error.captureStackTrace(holder, from);
  const frames = holder.stack ?? [];
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  let isDirect = true;
  for (const frame of frames) {
    const file = pathOf(frame.getFileName());
    if (file === undefined || file === THIS) continue;
    if (isUsers(file)) return { place: placeOf(frame, file), isDirect };
    // The engine reads its own parameters.
    if (!isPackaged(file)) return undefined;
    isDirect = false;
  }
  return undefined;
}

/** As it was written: a module that was translated has a source map. */
function placeOf(frame: NodeJS.CallSite, file: string): string {
  const [name, line, column] = [frame.getFileName() ?? '', frame.getLineNumber() ?? 1, frame.getColumnNumber() ?? 1];
  const entry = findSourceMap(name)?.findEntry(line - 1, column - 1);
  if (entry === undefined || !('originalSource' in entry)) return `${shortPath(file)}:${line}`;
  return `${shortPath(pathOf(entry.originalSource) ?? file)}:${entry.originalLine + 1}`;
}

/** Undefined for Node's own files. */
function pathOf(name: string | null | undefined): string | undefined {
  if (name === null || name === undefined) return undefined;
  if (name.startsWith('file:')) return fileURLToPath(name);
  return name.startsWith('/') ? name : undefined;
}
