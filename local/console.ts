/** `npm run console:produce`, `console:consume`, `console:transactions`: see USAGE. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { UsageError } from '../lib/config/usage-error.ts';
import { passThrough } from './command.ts';
import { consoleTool, TOOLS } from './console-tools.ts';
import { readRunning } from './running.ts';
import { kafkaToolCommand } from './stack/java.ts';

const USAGE = `npm run console:produce [-- OPTIONS]         lines that you type, to topic flink_kafka (--topic another)
npm run console:consume [-- OPTIONS]         committed records of topic flink_kafka2 (--topic another)
npm run console:transactions [-- OPTIONS]    transactional ids and their states (describe --transactional-id one)

Kafka's own command line tools, on the broker of "npm run local" or "npm run deploy:local -- --keep", or of ONCEFLOW_BROKERS. OPTIONS
are the tools' own; one that is given replaces what is set here.`;

const [name = '', ...given] = process.argv.slice(2);

await passThrough({ name: `npm run console:${name}`, usage: USAGE }, given, async () => {
  if (!Object.hasOwn(TOOLS, name)) throw new UsageError(`there is no tool ${name}; there are ${Object.keys(TOOLS).join(', ')}`);
  const { mainClass, args, says } = consoleTool(name as keyof typeof TOOLS, given, brokers());
  console.error(says);
  const tool = kafkaToolCommand(mainClass, args);
  // Ctrl-C reaches the tool as well, which ends by it.
  process.on('SIGINT', () => {});
  const [code] = (await once(spawn(tool.command, tool.args, { stdio: 'inherit' }), 'exit')) as [number | null];
  return code ?? 1;
});

function brokers(): string {
  const named = process.env['ONCEFLOW_BROKERS'];
  if (named) return named;
  const [newest, ...others] = readRunning();
  if (newest === undefined)
    throw new UsageError('nothing runs here: start "npm run local" in another terminal, or name a broker in ONCEFLOW_BROKERS');
  if (others.length > 0)
    console.error(
      `${others.length + 1} stacks run here: this is the newest, of process ${newest.pid}; ONCEFLOW_BROKERS names another (${others.map((other) => other.brokers).join(', ')})`,
    );
  return newest.brokers;
}
