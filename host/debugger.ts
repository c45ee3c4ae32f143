import inspector from 'node:inspector';

const HERE = '127.0.0.1';

/** Waits until a debugger is connected, and stops in it: breakpoints in what is loaded by now can be set there. */
export function waitForDebugger(port: number, say: (line: string) => void): void {
  say(`waits for a debugger at ${HERE}:${port}: chrome://inspect, or "attach" in an editor`);
  inspector.open(port, HERE, true);
  // biome-ignore lint/suspicious/noDebugger: this is where a person is to be stopped, before the job's own functions are called.
  debugger;
}
