/** Starts a stack, prints one line about it, and waits for its end: what tests kill. */
import { writeFileSync } from 'node:fs';
import { startStack } from '../../local/stack/stack.ts';

const stack = await startStack({ report: () => {} });
// A file that is to go with the stack, as `npm run local` has.
const file = `${stack.dir}.env`;
writeFileSync(file, '');
stack.removeAtEnd(file);
console.log(
  JSON.stringify({
    pids: [stack.kafka.pid(), stack.emulator.pid()],
    dir: stack.dir,
    file,
    bootstrap: stack.kafka.bootstrap,
    env: stack.env,
  }),
);
