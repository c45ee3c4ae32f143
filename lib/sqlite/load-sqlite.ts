import type * as sqlite from 'node:sqlite';

/** Node's own SQLite, without the warning of older releases of Node 24 that its interface may still change. */
export function loadSqlite(): typeof sqlite {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
