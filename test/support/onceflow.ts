import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../cli/onceflow.mjs', import.meta.url));

export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as the JSON object that `--json` prints. */
  json(): Record<string, unknown>;
}

/** Runs `onceflow <args>` in this environment and no other. */
export function onceflow(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CommandRun> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [COMMAND, ...args], { env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code !== 'number') return reject(error);
      resolve({ code, stdout, stderr, json: () => JSON.parse(stdout) as Record<string, unknown> });
    });
  });
}
