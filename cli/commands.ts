import type { Command } from './command.ts';
import cancel from './commands/cancel.ts';
import completion from './commands/completion.ts';
import consolePage from './commands/console.ts';
import deadLetters from './commands/dead-letters.ts';
import deployLocal from './commands/deploy-local.ts';
import describe from './commands/describe.ts';
import dev from './commands/dev.ts';
import doctor from './commands/doctor.ts';
import epochs from './commands/epochs.ts';
import init from './commands/init.ts';
import lag from './commands/lag.ts';
import logs from './commands/logs.ts';
import rehearse from './commands/rehearse.ts';
import replay from './commands/replay.ts';
import rescale from './commands/rescale.ts';
import resume from './commands/resume.ts';
import run from './commands/run.ts';
import savepoint from './commands/savepoint.ts';
import start from './commands/start.ts';
import state from './commands/state.ts';
import status from './commands/status.ts';
import stop from './commands/stop.ts';
import transactions from './commands/transactions.ts';
import worker from './commands/worker.ts';

/** Every command, in the order in which `--help` shows them. */
export const COMMANDS: readonly Command[] = [
  init,
  dev,
  deployLocal,
  run,
  worker,
  describe,
  doctor,
  start,
  status,
  consolePage,
  lag,
  epochs,
  savepoint,
  transactions,
  deadLetters,
  logs,
  replay,
  rehearse,
  state,
  rescale,
  stop,
  cancel,
  resume,
  completion,
];
