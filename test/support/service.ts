import { onTestFinished } from 'vitest';
import { claimPorts } from '../../local/stack/ports.ts';
import { CommandProcess } from './command-process.ts';

/** One that ends with the test. */
export class Service extends CommandProcess {
  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    super(args, env);
    onTestFinished(() => this.killGroup());
  }
}

/** A port of this machine that nobody else takes while the test runs. */
export async function newPort(): Promise<number> {
  const block = await claimPorts();
  onTestFinished(() => block.release());
  return block.take();
}
