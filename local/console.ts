/**
 * `npm run console:produce`, `console:consume`, `console:transactions`: Kafka's own command line tools on the broker of
 * `npm run local` (or of ONCEFLOW_BROKERS). Further arguments are handed through.
 */
import { spawn } from 'node:child_process';
import { readRunning } from './running.ts';
import { kafkaToolCommand } from './stack/java.ts';

const TOOLS: Record<string, { readonly mainClass: string; readonly args: readonly string[]; readonly says: string }> = {
  produce: {
    mainClass: 'org.apache.kafka.tools.ConsoleProducer',
    args: ['--topic', 'flink_kafka'],
    says: 'Type lines, Ctrl-D to end.',
  },
  consume: {
    mainClass: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
    args: ['--topic', 'flink_kafka2', '--isolation-level', 'read_committed', '--from-beginning'],
    says: 'Committed records of flink_kafka2, Ctrl-C to end.',
  },
  transactions: { mainClass: 'org.apache.kafka.tools.TransactionsCommand', args: ['list'], says: 'Transactional ids and their states.' },
};

const [name = '', ...more] = process.argv.slice(2);
const tool = TOOLS[name];
const brokers = process.env['ONCEFLOW_BROKERS'] || readRunning()?.brokers;
if (tool === undefined) {
  fail(`usage: console.ts ${Object.keys(TOOLS).join('|')} [arguments of the tool]`);
} else if (brokers === undefined) {
  fail('nothing runs here: start "npm run local" in another terminal, or name a broker in ONCEFLOW_BROKERS');
} else {
  console.error(`${tool.says} (Kafka at ${brokers})`);
  const { command, args } = kafkaToolCommand(tool.mainClass, ['--bootstrap-server', brokers, ...tool.args, ...more]);
  // Ctrl-C reaches the tool as well, which ends by it.
  process.on('SIGINT', () => {});
  spawn(command, args, { stdio: 'inherit' }).once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
