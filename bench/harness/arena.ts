import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../host/system.ts';
import { createDynamoDbClient, createS3Client } from '../../lib/aws/clients.ts';
import { createTable } from '../../lib/aws/dynamo-table.ts';
import { createBucket } from '../../lib/aws/s3-blob-store.ts';
import { connectKafka } from '../../lib/kafka/connect.ts';
import type { KafkaRequests } from '../../lib/ports/kafka-requests.ts';
import { EMULATOR_REGION } from '../../local/stack/emulator.ts';
import { type KeptProcess, openKeeper } from '../../local/stack/kept-process.ts';
import { startStack } from '../../local/stack/stack.ts';
import type { Peer } from './peers.ts';

/** A broker, the emulator, and a place for programs. Everything ends with this process, however it ends. */
export interface Arena {
  readonly bootstrap: string;
  readonly emulatorEndpoint: string;
  readonly kafka: KafkaRequests;
  /** Session ids, for their use of the processor. */
  readonly brokerSession: number;
  readonly emulatorSession: number;
  /** Blobs and checkpoints of the running program; emptied by `clear`. */
  readonly work: string;
  clear(): void;
  /** Starts a program in a session of its own. */
  start(peer: Peer, run: ProgramRun): Promise<Program>;
  close(): Promise<void>;
}

export interface ProgramRun {
  readonly id: string;
  readonly input: string;
  readonly output: string;
  readonly intervalMs: number;
  readonly restore?: boolean;
  /** The AWS emulator, or a proxy before it. */
  readonly emulatorEndpoint?: string | undefined;
  /** Folder for CPU profiles of Node programs. */
  readonly profiles?: string | undefined;
}

export interface Program {
  readonly session: number;
  /** Undefined while it runs. */
  ended(): string | undefined;
  logTail(): string;
  /** What it wrote so far. */
  log(): string;
  /** kill -9 of all its processes at once; resolves when the first of them is gone. */
  kill(): Promise<void>;
  /** Asks it to end in order, and kills it if it has not within 20 s. */
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 20_000;

export async function openArena(): Promise<Arena> {
  const stack = await startStack({ kafka: { load: 'heavy', settings: { 'log.retention.ms': -1 } } });
  const keeper = await openKeeper();
  const client = {
    endpoint: stack.emulator.endpoint,
    region: EMULATOR_REGION,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  };
  await Promise.all([createTable(createDynamoDbClient(client), 'onceflow'), createBucket(createS3Client(client), 'onceflow-bench')]);
  const kafka = await connectKafka({ brokers: [stack.kafka.bootstrap], clientId: 'onceflow-bench', clock: systemClock });
  const work = join(keeper.dir, 'work');
  mkdirSync(work);
  let started = 0;

  return {
    bootstrap: stack.kafka.bootstrap,
    emulatorEndpoint: stack.emulator.endpoint,
    kafka,
    brokerSession: stack.kafka.pid(),
    emulatorSession: stack.emulator.pid(),
    work,
    clear() {
      rmSync(work, { recursive: true, force: true });
      mkdirSync(work);
    },
    async start(peer, { id, input, output, intervalMs, restore = false, emulatorEndpoint = stack.emulator.endpoint, profiles }) {
      // Where bench/peer.ts looks for the emulator.
      writeFileSync(join(work, 'stack.json'), JSON.stringify({ endpoint: emulatorEndpoint }));
      const kept = await keeper.start({
        name: `${id}-${++started}`,
        command: peer.command,
        args: peer.args,
        env: {
          ...process.env,
          ...peer.env,
          ONCEFLOW_BENCH_DIR: work,
          BOOT: stack.kafka.bootstrap,
          IN: input,
          OUT: output,
          APP: id,
          INTERVAL_MS: String(intervalMs),
          ...(restore ? { RESTORE: 'auto' } : {}),
          ...(profiles === undefined ? {} : { CPU_PROF: profiles }),
        },
      });
      return program(kept);
    },
    async close() {
      await kafka.close();
      await keeper.close();
      await stack.stop();
    },
  };
}

function program(kept: KeptProcess): Program {
  let how: string | undefined;
  void kept.ended.then((end) => {
    how = end;
  });
  return {
    session: kept.pid,
    ended: () => how,
    logTail: () => kept.logTail(),
    log: () => readFileSync(kept.logFile, 'utf8'),
    async kill() {
      // Not by way of the keeper: the time counts.
      if (how === undefined) process.kill(-kept.pid, 'SIGKILL');
      await kept.ended;
    },
    async stop() {
      if (how !== undefined) return;
      kept.signal('SIGTERM');
      await Promise.race([kept.ended, sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
      kept.signal('SIGKILL');
      await kept.ended;
    },
  };
}

/** Offsets of the topic that `read_committed` readers see: records, and a control record for each transaction and partition. */
export async function committedOffsets(kafka: KafkaRequests, topic: string): Promise<number> {
  const partitions = Array.from({ length: await kafka.partitionCount(topic) }, (_, partition) => partition);
  const offsets = await kafka.offsets(topic, partitions, 'latest');
  return offsets.reduce((sum, offset) => sum + offset, 0);
}

/** Files under the folder that were written since then. */
export function filesSince(folder: string, sinceMs: number): number {
  let count = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (stat?.isFile() === true && stat.mtimeMs >= sinceMs) count++;
  }
  return count;
}
