/**
 * The build that this process runs, so that old and new functions never share an epoch during an update. On Lambda the
 * deployment sets it; processes on one machine run the same files, and need none.
 */
export function buildId(env: NodeJS.ProcessEnv): string {
  return env['ONCEFLOW_BUILD_ID'] ?? 'unversioned';
}
