/** Starts a stack, prints one line about it, and waits for its end: what tests kill. */
import { startStack } from '../../local/stack/stack.ts';

const stack = await startStack({ report: () => {} });
console.log(
  JSON.stringify({ pids: [stack.kafka.pid(), stack.emulator.pid()], dir: stack.dir, bootstrap: stack.kafka.bootstrap, env: stack.env }),
);
