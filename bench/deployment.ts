/**
 * `node_modules/.bin/node bench/deployment.ts`: how large the functions' bundle is, and how long cold and warm invocations
 * take on the emulator, which runs them as processes of this machine.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { writeBundle } from '../infra/functions/write-bundle.ts';
import { createLambdaClient } from '../lib/aws/clients.ts';
import { createLambdaInvoker } from '../lib/aws/lambda-invoker.ts';
import type { FunctionTarget } from '../lib/ports/function-invoker.ts';
import { PROTOCOL_VERSION } from '../lib/protocol/requests.ts';
import { createCdk } from '../local/deploy/cdk.ts';
import { functionProcesses } from '../local/deploy/function-processes.ts';
import { createTopics } from '../local/stack/kafka-admin.ts';
import { startStack } from '../local/stack/stack.ts';

const JOB = './jobs/word-count.ts';
const LOADS = 9;
const COLD_TRIES = 7;
const WARM_TRIES = 50;
const TIMEOUT_MS = 30_000;

printBundle();
await printInvocations();

function printBundle(): void {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-bundle-'));
  try {
    writeBundle(JOB, folder);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(mjs|map)$/.test(file));
    const sum = (suffix: string, size: (path: string) => number) =>
      Math.round(files.filter((file) => file.endsWith(suffix)).reduce((total, file) => total + size(join(folder, file)), 0) / 1024);
    const packed = (path: string) => gzipSync(readFileSync(path)).length;
    const plain = (path: string) => statSync(path).size;
    console.log(`bundle: ${sum('.mjs', plain)} KB of code (${sum('.mjs', packed)} KB packed), ${sum('.map', plain)} KB of source maps`);
    const bare = cpuOf('0');
    for (const role of ['coordinator', 'source', 'operator', 'sink']) {
      const module = join(folder, `${role}.mjs`);
      const cpuMs = cpuOf(`import(${JSON.stringify(module)})`) - bare;
      console.log(
        `  ${role}: loads ${Math.round(loadedAtStart(module) / 1024)} KB before its first invocation, ${cpuMs} ms of CPU beside Node's own ${bare} ms`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** CPU time of a new Node process that evaluates something: does not depend on what else the machine does. */
function cpuOf(expression: string): number {
  const script = `await ${expression}; const { user, system } = process.cpuUsage(); console.log((user + system) / 1000); process.exit()`;
  return median(
    Array.from({ length: LOADS }, () =>
      Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })),
    ),
  );
}

/** Bytes of a module and of all that it imports statically. */
function loadedAtStart(entry: string): number {
  const seen = new Set<string>();
  const load = (file: string): number => {
    if (seen.has(file)) return 0;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    const imports = [...text.matchAll(/(?:^|[;\s}])(?:import|export)\s*(?:[^'"()]*?from\s*)?["'](\.[^"']+)["']/g)].map(([, path = '']) =>
      join(file, '..', path),
    );
    return Buffer.byteLength(text) + imports.reduce((total, path) => total + load(path), 0);
  };
  return load(entry);
}

async function printInvocations(): Promise<void> {
  const stack = await startStack({ kafka: { load: 'heavy' } });
  Object.assign(process.env, stack.env);
  const cdk = createCdk(stack);
  try {
    const name = `bench-${randomBytes(3).toString('hex')}`;
    await createTopics(stack.kafka.bootstrap, [{ topic: 'flink_kafka' }, { topic: 'flink_kafka2' }]);
    await cdk.bootstrap();
    const { buildId } = await cdk.deploy({ ONCEFLOW_JOB: JOB, ONCEFLOW_JOB_NAME: name });
    const invoker = createLambdaInvoker({ client: createLambdaClient(), prefix: name });
    const invoke = async (target: FunctionTarget, request: object): Promise<number> => {
      const startedMs = performance.now();
      const answer = (await invoker.invoke(target, { ...request, timeoutMs: TIMEOUT_MS }, { timeoutMs: TIMEOUT_MS })) as {
        readonly outcome: string;
      };
      if (!['read', 'processed', 'committed'].includes(answer.outcome)) throw new Error(JSON.stringify(answer));
      return performance.now() - startedMs;
    };
    for (const [target, request] of requests(name, buildId)) {
      const cold: number[] = [];
      for (let i = 0; i < COLD_TRIES; i++) {
        await killAll(name, target.role);
        cold.push(await invoke(target, request));
      }
      const warm: number[] = [];
      for (let i = 0; i < WARM_TRIES; i++) warm.push(await invoke(target, request));
      console.log(`${target.role}: cold ${median(cold)} ms (median of ${COLD_TRIES}), warm ${median(warm)} ms (median of ${WARM_TRIES})`);
    }
  } finally {
    cdk.close();
    await stack.stop();
  }
}

/** Resolves when no process of the function is left: the emulator would give the next invocation to one that is ending. */
async function killAll(prefix: string, role: string): Promise<void> {
  for (;;) {
    const running = (await functionProcesses(prefix)).filter(({ name }) => name.includes(`-${role}`));
    for (const { pid } of running) process.kill(pid, 'SIGKILL');
    await sleep(300);
    if (running.length === 0) return;
  }
}

/** The least that each function can be asked, with everything wired: an epoch of nothing. */
function requests(job: string, build: string): readonly (readonly [FunctionTarget, object])[] {
  const meeting = { exchanges: 1, staged: 1, snapshots: 1 };
  const decisionId = randomBytes(16).toString('hex');
  const common = (stage: string) => ({
    build,
    job,
    incarnation: 'bench',
    epoch: 1,
    decisionId,
    stage,
    subtask: 0,
    parallelism: { 'read-lines': 1, 'count-words': 1, 'write-counts': 1 },
    version: PROTOCOL_VERSION,
    sinkFacts: { 'write-counts': { topics: [{ topic: 'flink_kafka2', partitions: 3, maxBatchBytes: 1_000_000, compacted: false }] } },
  });
  return [
    [
      { role: 'source', stage: 'read-lines', subtask: 0 },
      { ...common('read-lines'), ask: 'read', ranges: [], maxBytes: 1_000_000, maxDurationMs: 1_000, meeting },
    ],
    [
      { role: 'operator', stage: 'count-words', subtask: 0 },
      {
        ...common('count-words'),
        ask: 'process',
        keyGroups: { first: 0, last: 127 },
        meeting,
        inputs: [],
        snapshots: { 'count-words': [] },
      },
    ],
    [
      { role: 'sink', stage: 'write-counts', subtask: 0 },
      {
        ...common('write-counts'),
        ask: 'commit',
        connector: 'kafka',
        permit: { epoch: 1, decisionId, generation: 1, decided: true },
        committables: [],
        terms: { compacted: [] },
        isOld: false,
      },
    ],
  ];
}

function median(values: readonly number[]): number {
  return Math.round([...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0);
}
