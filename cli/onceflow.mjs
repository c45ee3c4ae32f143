#!/usr/bin/env node
/**
 * `npx onceflow <command>`. Plain JavaScript for Node >= 20. A checkout has the rest as TypeScript, which Node 24 runs as it is, and
 * brings its own Node 24: an older one hands over to it. The package has it as JavaScript.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
// Not by name: Node 20 has no `enableCompileCache`, and would not even begin with this file.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NODE_24 = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const MAJOR = Number(process.versions.node.split('.')[0]);

if (MAJOR >= 24) {
  // Half of a command's time is reading its TypeScript, the same each time.
  module.enableCompileCache();
  const { main } = await import(existsSync(new URL('main.ts', import.meta.url)) ? './main.ts' : '../dist/cli/main.js');
  process.exitCode = await main(process.argv.slice(2), process.env);
} else if (existsSync(NODE_24)) {
  handOver();
} else {
  console.error(
    `onceflow needs Node 24 and runs on ${process.versions.node}: install it, or "npm install --save-dev node@24" in the project`,
  );
  process.exitCode = 2;
}

function handOver() {
  const child = spawn(NODE_24, process.argv.slice(1), { stdio: 'inherit' });
  // A terminal sends SIGINT to the command as well; others send only to this process.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
