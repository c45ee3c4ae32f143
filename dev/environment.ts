import { rmSync, writeFileSync } from 'node:fs';

/**
 * What another terminal needs to find the job with `npx onceflow`, as a file that a shell reads.
 * @returns takes it away
 */
export function writeEnvironment(file: string, env: Readonly<Record<string, string | undefined>>): () => void {
  const lines = Object.entries(env).map(([name, value = '']) => `export ${name}='${value.replaceAll("'", "'\\''")}'`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return () => rmSync(file, { force: true });
}
