import { rmSync, writeFileSync } from 'node:fs';

/**
 * What another terminal needs to find the job with `npx onceflow`, as a file that a shell reads.
 * @returns takes it away
 */
export function writeEnvironment(file: string, env: Readonly<Record<string, string | undefined>>, job: string): () => void {
  const ours = Object.entries({ ...env, ONCEFLOW_JOB_NAME: job }).filter(([name]) => name.startsWith('ONCEFLOW_'));
  const lines = ours.map(([name, value = '']) => `export ${name}='${value.replaceAll("'", "'\\''")}'`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return () => rmSync(file, { force: true });
}
