import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../lib/config/usage-error.ts';
import { INSTALLED, installed, javaCommand } from '../../local/stack/installed.ts';
import type { Options } from './options.ts';

const PEER_SH = fileURLToPath(new URL('../peer.sh', import.meta.url));

/** A program that honours BOOT IN OUT APP INTERVAL_MS, and RESTORE=auto when it is started again after a kill. */
export interface Peer {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const OURS = 'onceflow';
/** Flink reaches into the JDK's own classes. */
const FLINK_OPENS = ['java.base/java.util', 'java.base/java.lang', 'java.base/java.time'].map((name) => `--add-opens=${name}=ALL-UNNAMED`);
const JOBS: Readonly<Record<Options['shape'], string>> = {
  words: './jobs/word-count.ts',
  'large-values': './bench/jobs/large-values.ts',
  'tiny-values': './bench/jobs/tiny-values.ts',
};

/** By its name on the command line: one that is known, or `name=path` of any other program (another checkout's peer.sh). */
export function peerNamed(given: string, options: Options, work: string): Peer {
  const [name = '', path] = given.split('=');
  if (path !== undefined || name === OURS) return { name, command: path ?? PEER_SH, args: [], env: oursEnv(options) };
  if (name === 'flink') {
    const { flinkHeap, flinkJvm, flinkParallelism, shape } = options;
    return {
      name,
      ...java(name, flinkHeap, [...FLINK_OPENS, '--add-exports=java.base/sun.net.util=ALL-UNNAMED', ...flinkJvm], 'FlinkCount'),
      env: { PAR: String(flinkParallelism), SHAPE: shape, CHECKPOINTS: join(work, 'flink') },
    };
  }
  if (name === 'kafka-streams') {
    if (options.shape !== 'words') throw new UsageError(`kafka-streams counts words only, not --shape ${options.shape}`);
    return {
      name,
      ...java(name, options.flinkHeap, [], 'StreamsCount'),
      env: { STATE: join(work, 'kafka-streams'), PARTITIONS: String(options.partitions) },
    };
  }
  throw new UsageError(`--peers: "${given}" is neither onceflow, flink, kafka-streams nor name=path-of-a-program`);
}

function oursEnv({ blobs, parallelism, shape }: Options): Record<string, string> {
  return { BLOBS: blobs, PAR: String(parallelism), JOB: JOBS[shape] };
}

function java(name: string, heap: string, jvm: readonly string[], main: string): Pick<Peer, 'command' | 'args'> {
  const classes = join(installed('bench', INSTALLED.benchClasses), name);
  const path = [classes, join(installed('bench-jars', INSTALLED.benchJars), name, '*')].join(':');
  const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
  return { command: javaCommand(), args: [`-Xms${heap}`, `-Xmx${heap}`, ...jvm, log, '-cp', path, main] };
}
