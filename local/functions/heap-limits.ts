/**
 * The parameter's name (its test compares): with the parameters themselves come a hundred files, more than half of what a process loads that
 * only starts others.
 */
const BOUND = 'ONCEFLOW_STATE_MEMORY_BYTES';

/** For garbage of short life, of which state makes much that comes from a disk and goes there. Measured: docs/state.md. */
const MOST_SEMI_SPACE_MB = 4;

/**
 * What V8 is told in a process whose keyed state has a bound: without it the peak of memory is garbage that is collected late, and more than
 * all state takes without a bound (docs/state.md). Nothing where somebody has said it.
 *
 * @param env of the process @param execArgv that it is started with besides
 */
export function heapLimits(env: Readonly<Record<string, string | undefined>>, execArgv: readonly string[]): readonly string[] {
  if (!env[BOUND]) return [];
  const isSaid = [...execArgv, env['NODE_OPTIONS'] ?? ''].some((text) => /max[-_]semi[-_]space[-_]size/.test(text));
  return isSaid ? [] : [`--max-semi-space-size=${MOST_SEMI_SPACE_MB}`];
}
