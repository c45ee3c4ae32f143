/** What a savepoint may be called: it is part of rows' keys, and of commands. */
const SAVEPOINT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
export const SAVEPOINT_NAME_RULE = '1 to 100 letters, digits, ".", "_" or "-", the first a letter or a digit';

export function isSavepointName(given: string): boolean {
  return SAVEPOINT_NAME.test(given);
}
