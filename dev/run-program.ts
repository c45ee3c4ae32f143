import { execFile } from 'node:child_process';

/** Runs a program to its end, without a shell. Answers what it printed. @throws Error: it ended with another code than 0, or there is none */
export function runProgram(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = `${stdout}${stderr}`.trim().split('\n').slice(-5).join('\n');
      reject(new Error(`${command} ${args[0] ?? ''} failed: ${said || error.message}`));
    });
  });
}
