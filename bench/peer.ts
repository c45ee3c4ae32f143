import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runJob } from '../local/functions/run-job.ts';
import { EMULATOR_REGION } from '../local/stack/emulator.ts';

const {
  BOOT = '127.0.0.1:9092',
  IN = 'flink_kafka',
  OUT = 'flink_kafka2',
  APP = 'word-count',
  INTERVAL_MS = '1000',
  BLOBS = 'file',
  PAR = '1',
  JOB = './jobs/word-count.ts',
} = process.env;
const dir = process.env['ONCEFLOW_BENCH_DIR'] ?? join(tmpdir(), 'onceflow-bench');
const stack = JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')) as { endpoint: string };
const { ONCEFLOW_BENCH_DIR: _, ...inherited } = process.env;

const job = await runJob({
  env: {
    ONCEFLOW_JOB: JOB,
    ONCEFLOW_JOB_NAME: APP,
    ONCEFLOW_BROKERS: BOOT,
    ONCEFLOW_TOPICS: `read-lines=${IN},write-counts=${OUT}`,
    ONCEFLOW_STARTING_OFFSETS: 'earliest',
    ONCEFLOW_CHECKPOINT_INTERVAL_MS: INTERVAL_MS,
    ONCEFLOW_STAGE_PARALLELISM: `count-words=${PAR}`,
    ONCEFLOW_BLOBS: BLOBS === 's3' ? 's3://onceflow-bench' : `file://${dir}/blobs`,
    AWS_ENDPOINT_URL: stack.endpoint,
    AWS_REGION: EMULATOR_REGION,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...inherited,
  },
  onEvent: (event) => console.log(new Date().toISOString(), JSON.stringify(event)),
  onLog: (name, line) => console.log(name, line),
  onCrash: (name, how) => console.log(`${name} ended with ${how}; it is started again`),
});
// The harness signals the whole process group: the functions ignore it, and this process stops the job in order.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void job.stop());
const { end, message } = await job.ended;
console.log(`${end}: ${message}`);
process.exit(end === 'stopped' ? 0 : 1);
