import { StoreProblem } from '../ports/store-problem.ts';

/** What SQLite's primary result codes mean to who asked: https://sqlite.org/rescode.html */
const BUSY = new Set([5, 6, 15]);
/** Not enough memory, an input or output error, a full disk. */
const PASSING = new Set([7, 10, 13]);
const MENDS: Readonly<Record<number, string>> = {
  3: 'make file and folder writable for this process',
  8: 'make file and folder writable for this process',
  11: 'the file is damaged: restore it, or name another',
  14: 'make file and folder writable for this process, or name another file',
  26: 'it is no database: name another file',
};

/** `busy`: another process has it, and nothing was done. Undefined: the error is none of SQLite's. */
export function sqliteCode(error: unknown): 'busy' | 'passing' | 'permanent' | undefined {
  const code = primaryCode(error);
  if (code === undefined) return undefined;
  if (BUSY.has(code)) return 'busy';
  return PASSING.has(code) ? 'passing' : 'permanent';
}

/** The error to throw in place of SQLite's, or of the file system's; any other as it is. */
export function sqliteProblem(error: unknown, what: string, file: string): unknown {
  const code = sqliteCode(error);
  const said = error instanceof Error ? error.message : String(error);
  const failed = `could not ${what} in ${file} (ONCEFLOW_TABLE): ${said}`;
  if (code === 'busy') {
    const mend = 'another process holds it: one that was stopped (SIGSTOP, a debugger) has to go on, or to end';
    return new StoreProblem(`${failed}; ${mend}`, true, { cause: error });
  }
  if (code === 'passing') return new StoreProblem(`${failed}; it may succeed later`, true, { cause: error });
  if (code === 'permanent')
    return new StoreProblem(`${failed}; ${MENDS[primaryCode(error) ?? 0] ?? 'name another file'}`, false, { cause: error });
  const isOfFiles = error instanceof Error && 'syscall' in error;
  return isOfFiles
    ? new StoreProblem(`${failed}; make the folder writable for this process, or name another file`, false, { cause: error })
    : error;
}

function primaryCode(error: unknown): number | undefined {
  const { code, errcode } = (error ?? {}) as { readonly code?: unknown; readonly errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined;
}
