import type * as sqlite from 'node:sqlite';

/** Node's own SQLite, without the line on standard error that says that its interface may still change: the tests know it as it is. */
export function loadSqlite(): typeof sqlite {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
