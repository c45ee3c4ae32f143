import type { Command } from './command.ts';
import cancel from './commands/cancel.ts';
import deadLetters from './commands/dead-letters.ts';
import describe from './commands/describe.ts';
import epochs from './commands/epochs.ts';
import init from './commands/init.ts';
import lag from './commands/lag.ts';
import resume from './commands/resume.ts';
import status from './commands/status.ts';
import stop from './commands/stop.ts';
import transactions from './commands/transactions.ts';

/** Every command, in the order in which `--help` shows them. */
export const COMMANDS: readonly Command[] = [
  init,
  describe,
  status,
  lag,
  epochs,
  transactions,
  deadLetters,
  stop,
  cancel,
  resume,
];
