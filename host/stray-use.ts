import { OutsideRecordError } from '../lib/state/record-scope.ts';

let kept = false;

/**
 * User code that uses a state or an output after its record, in a promise or a timer, is told so by an error that nobody
 * catches, and Node ends the process for it. The runtime has taken note of it, and fails the attempt by the operator's name:
 * a process that ends would be a passing failure of nobody. Everything else ends the process as before.
 */
export function keepStrayUseFromEndingTheProcess(): void {
  if (kept) return;
  kept = true;
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    // Lambda's runtime has listeners of its own, which end the process.
    const others = process.rawListeners(event);
    process.removeAllListeners(event);
    process.on(event, (reason: unknown, ...rest: unknown[]) => {
      if (reason instanceof OutsideRecordError) return;
      if (others.length === 0) throw reason;
      for (const other of others) Reflect.apply(other, process, [reason, ...rest]);
    });
  }
}
