import { ASSUMED_MS, IDLE_TICK, type Job, type Operations, operationsOfEpoch, operationsOfSecond, recordsOfEpoch } from './operations.ts';
import type { Prices } from './prices.ts';

const MONTH_SECONDS = 730 * 3600;
const MINUTES = MONTH_SECONDS / 60;
const DAYS = MONTH_SECONDS / 86_400;
const STANDBY_MS = 65_000;
const MEGA = 1e6;
const GB = 1024 ** 3;
/** CPU of a word on tuned Flink (docs/speed.md): 63.5 s for 32 M. */
const FLINK_MICROSECONDS_PER_RECORD = 1.98;
const FLINK_STORAGE_GB_PER_KPU = 50;
/** Sizes of Fargate's tasks, in processors; two GB each go with one. */
const TASK_CPUS = [0.25, 0.5, 1, 2, 4, 8, 16];
const GB_PER_CPU = 2;
/** Of a task's processors, assumed: the rest is for peaks. */
const USED_SHARE = 0.7;
/** Of a coordinator, assumed. */
const COORDINATOR_CPUS = 0.05;
/** One that stands by looks twice a second. */
const STANDBY_READS_PER_SECOND = 2;

export interface Functions {
  readonly architecture: 'arm64' | 'x86_64';
  readonly functionMemoryMb: number;
  readonly coordinatorMemoryMb: number;
}

export interface Line {
  readonly what: string;
  readonly dollars: number;
}

/** A month of a job with steady input, line by line. */
export function monthlyBill(job: Job, functions: Functions, prices: Prices): Line[] {
  const epochs = recordsOfEpoch(job) === 0 ? 0 : (MONTH_SECONDS * 1000) / job.intervalMs;
  const epoch = operationsOfEpoch(job);
  const second = operationsOfSecond(job);
  const sum = (pick: (operations: Operations) => number) => pick(epoch) * epochs + pick(second) * MONTH_SECONDS;
  return [
    { what: 'Lambda: coordinator', dollars: gbSeconds(MONTH_SECONDS * 1000, functions.coordinatorMemoryMb) * gbSecond(functions, prices) },
    {
      what: 'Lambda: source, operator, sink',
      dollars:
        gbSeconds(
          sum(({ stageMs }) => stageMs),
          functions.functionMemoryMb,
        ) * gbSecond(functions, prices),
    },
    { what: 'Lambda: requests', dollars: ((sum(({ invocations }) => invocations) + MINUTES) / MEGA) * prices.lambdaMillionRequests },
    {
      what: 'Lambda: ticks',
      dollars: gbSeconds(MINUTES * ASSUMED_MS.tickThatLeaves, functions.coordinatorMemoryMb) * gbSecond(functions, prices),
    },
    { what: 'DynamoDB: writes', dollars: (sum(({ writeUnits }) => writeUnits) / MEGA) * prices.dynamoMillionWriteUnits },
    { what: 'DynamoDB: reads', dollars: (sum(({ readUnits }) => readUnits) / MEGA) * prices.dynamoMillionReadUnits },
    {
      what: 'DynamoDB: rows of a day, restorable',
      dollars: ((epoch.rowBytes * epochs) / DAYS / GB) * (prices.dynamoGbMonth + prices.dynamoRestorableGbMonth),
    },
    { what: 'S3: writes and lists', dollars: (sum(({ puts, lists }) => puts + lists) / 1000) * prices.s3ThousandPuts },
    { what: 'S3: reads', dollars: (sum(({ gets }) => gets) / 1000) * prices.s3ThousandGets },
    { what: 'S3: state', dollars: (job.stateBytes / GB) * 2 * prices.s3GbMonth },
    { what: 'CloudWatch: logs', dollars: (sum(({ logBytes }) => logBytes) / GB) * prices.logsGb },
  ];
}

/** One epoch alone, without what runs between epochs. */
export function epochDollars(job: Job, functions: Functions, prices: Prices): number {
  const { invocations, stageMs, writeUnits, readUnits, puts, gets, logBytes } = operationsOfEpoch(job);
  return (
    gbSeconds(stageMs, functions.functionMemoryMb) * gbSecond(functions, prices) +
    (invocations / MEGA) * prices.lambdaMillionRequests +
    (writeUnits / MEGA) * prices.dynamoMillionWriteUnits +
    (readUnits / MEGA) * prices.dynamoMillionReadUnits +
    (puts / 1000) * prices.s3ThousandPuts +
    (gets / 1000) * prices.s3ThousandGets +
    (logBytes / GB) * prices.logsGb
  );
}

/** A month without any input, by what the coordinator does then. */
export function idleBills(job: Job, functions: Functions, prices: Prices): Line[] {
  const idle = { ...job, recordsPerSecond: 0 };
  const stays = total(monthlyBill(idle, functions, prices));
  const { coordinatorMs, writeUnits, readUnits } = IDLE_TICK;
  const ticks =
    gbSeconds(MINUTES * coordinatorMs, functions.coordinatorMemoryMb) * gbSecond(functions, prices) +
    (MINUTES / MEGA) *
      (prices.lambdaMillionRequests + writeUnits * prices.dynamoMillionWriteUnits + readUnits * prices.dynamoMillionReadUnits);
  return [
    { what: 'the coordinator stays (default)', dollars: stays },
    {
      what: 'it stays, and a standby waits (ONCEFLOW_STANDBY=keep)',
      dollars: stays + gbSeconds(MINUTES * STANDBY_MS, functions.coordinatorMemoryMb) * gbSecond(functions, prices),
    },
    { what: 'it ends, and ticks look for input (ONCEFLOW_IDLE_EXIT_MS=0)', dollars: ticks },
  ];
}

/** The same job as `onceflow run` in two tasks of Fargate, one of which stands by; or, where one is too small, in as many workers and one to spare. */
export function asProcesses(
  job: Job,
  functions: Functions,
  prices: Prices,
): { readonly tasks: number; readonly cpus: number; readonly dollars: number } {
  const needed = (operationsOfEpoch(job).stageMs / job.intervalMs + COORDINATOR_CPUS) / USED_SHARE;
  const largest = Math.max(...TASK_CPUS);
  const cpus = TASK_CPUS.find((each) => each >= needed) ?? largest;
  const tasks = Math.ceil(needed / largest) + 1;
  const [cpuHour, gbHour] =
    functions.architecture === 'arm64'
      ? [prices.fargateArmCpuHour, prices.fargateArmGbHour]
      : [prices.fargateX86CpuHour, prices.fargateX86GbHour];
  const hours = MONTH_SECONDS / 3_600;
  const others = monthlyBill(job, functions, prices).filter(({ what }) => !what.startsWith('Lambda'));
  const standby = ((STANDBY_READS_PER_SECOND * MONTH_SECONDS) / MEGA) * prices.dynamoMillionReadUnits;
  return { tasks, cpus, dollars: tasks * hours * (cpus * cpuHour + cpus * GB_PER_CPU * gbHour) + total(others) + standby };
}

/** Managed Service for Apache Flink with as many KPUs as the CPU of the same work takes there, and one for orchestration. */
export function managedFlink(job: Job, prices: Prices): { readonly kpus: number; readonly dollars: number } {
  const cores = (job.recordsPerSecond * FLINK_MICROSECONDS_PER_RECORD) / MEGA;
  const kpus = Math.max(1, Math.ceil(cores), Math.ceil(job.stateBytes / GB / FLINK_STORAGE_GB_PER_KPU));
  const hourly = (kpus + 1) * prices.flinkKpuHour;
  return { kpus, dollars: (hourly * MONTH_SECONDS) / 3600 + kpus * FLINK_STORAGE_GB_PER_KPU * prices.flinkStorageGbMonth };
}

export function total(lines: readonly Line[]): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0);
}

function gbSecond({ architecture }: Functions, prices: Prices): number {
  return architecture === 'arm64' ? prices.lambdaArmGbSecond : prices.lambdaX86GbSecond;
}

function gbSeconds(ms: number, memoryMb: number): number {
  return (ms / 1000) * (memoryMb / 1024);
}
