import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { INSTALLED, type InstalledKafka, installed, javaCommand } from './installed.ts';

const LOG_OPTIONS = ['-Dorg.slf4j.simpleLogger.showDateTime=true', '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS'];

/** Arguments of a JVM that has Kafka's classes: `java …kafkaJvm('warn') <main class> …`. */
export function kafkaJvm(logLevel: 'warn' | 'error', { part, libs, classArchive: archive }: InstalledKafka = INSTALLED.kafka): string[] {
  return [
    // An archive of another Java version is no error, only no help.
    ...(existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`, '-Xlog:disable', '-Xlog:all=error:stderr'] : []),
    `-Dorg.slf4j.simpleLogger.defaultLogLevel=${logLevel}`,
    ...LOG_OPTIONS,
    '-cp',
    join(installed(part, libs), '*'),
  ];
}

/** Arguments of a JVM for one of Kafka's command line tools: quick to start, small. */
export function kafkaToolCommand(
  mainClass: string,
  args: readonly string[],
  release: InstalledKafka = INSTALLED.kafka,
): { readonly command: string; readonly args: string[] } {
  return {
    command: javaCommand(),
    args: ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', ...kafkaJvm('error', release), mainClass, ...args],
  };
}

export interface ToolResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs one of Kafka's command line tools, for example `org.apache.kafka.tools.TransactionsCommand`, and collects what it
 * prints. It takes about a second.
 *
 * @param options.input what it reads from its standard input
 * @param options.timeoutMs killed after this long; default 60 s
 * @param options.release whose tool; default the broker's that everything runs on
 */
export async function runKafkaTool(
  mainClass: string,
  args: readonly string[],
  options: { readonly input?: string; readonly timeoutMs?: number; readonly release?: InstalledKafka } = {},
): Promise<ToolResult> {
  const { command, args: all } = kafkaToolCommand(mainClass, args, options.release);
  const tool = spawn(command, all, { stdio: ['pipe', 'pipe', 'pipe'], timeout: options.timeoutMs ?? 60_000, killSignal: 'SIGKILL' });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  tool.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  tool.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  tool.stdin.on('error', () => {}); // It may end without reading its input.
  tool.stdin.end(options.input ?? '');
  const [exitCode] = (await once(tool, 'close')) as [number | null];
  return { exitCode, stdout: Buffer.concat(stdout).toString('utf8'), stderr: Buffer.concat(stderr).toString('utf8') };
}
