import { createInterface } from 'node:readline/promises';

/** `nobody`: no person is there to be asked. */
export type Answer = 'yes' | 'no' | 'nobody';

/** Asks the person at the terminal, on standard error: standard output is for what a command answers. Only `y` and `yes` are a yes. */
export async function askPerson(question: string): Promise<Answer> {
  if (process.stdin.isTTY !== true) return 'nobody';
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim()) ? 'yes' : 'no';
  } finally {
    asking.close();
  }
}
