import {
  defineJob,
  type FileFormat,
  fileSink,
  int64,
  kafkaSink,
  kafkaSource,
  type Output,
  utf8,
  valueState,
  writeAheadSink,
} from '../../../lib/api/index.ts';
import { type Build, INPUT, JOB, type SimJob } from '../sim-job.ts';
import { faultless, type UserCode } from '../user-code.ts';
import { timesOf, weightIn, wordsBy } from './lines.ts';

const LOCATION = 's3://files';
/** A few rows to a batch, so that an epoch has several. */
const BATCH_ROWS = 3;
/** The least there may be. */
const FILE_BYTES = 1024;

/** Lines as they are. */
const plainLines: FileFormat<string> = {
  name: 'lines',
  extension: 'txt',
  contentType: 'text/plain',
  head: '',
  write(line, out) {
    out.utf8(line);
    out.u8(0x0a);
  },
};

const files = (manifests: boolean) =>
  fileSink<string>({ location: LOCATION, format: plainLines, path: folderOf, maxFileBytes: FILE_BYTES, manifests });

/** The folder of a row. */
export function folderOf(row: string): string {
  return `initial=${row.slice(0, 1)}`;
}

/** In the simulation it reaches the target through the process's network (`models/targets.ts`). */
const rows = () =>
  writeAheadSink<string>({ maxBatchRows: BATCH_ROWS, deliver: () => Promise.reject(new Error('it is bound to no process')) });

function counts(job: Parameters<Parameters<typeof defineJob>[1]>[0], build: Build, code: UserCode, startingOffsets: string) {
  return job
    .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets: startingOffsets as 'earliest' }))
    .flatMap(wordsBy(code))
    .keyBy((word) => word, utf8)
    .process('count', {
      state: { count: valueState(int64, 0) },
      onRecord(word, { count }, out: Output<string>) {
        const times = timesOf(build, weightIn(build));
        for (let time = 0; time < times; time++) out.emit(`${word}:::${count.update((n) => n + 1)}`);
        code.check('operator', word);
      },
    });
}

/** Counts to a function and to files, and copies of the lines to files. */
export const reaching: SimJob = {
  name: 'reaching',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const counted = counts(job, build, code, startingOffsets);
      counted.sink('deliver', rows());
      counted.sink('store', files(true));
    }),
};

/** All ways to write in one job. */
const mixing: SimJob = {
  name: 'mixing',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      const counted = counts(job, build, code, startingOffsets);
      counted.sink('write', kafkaSink({ topic: 'output', value: utf8 }));
      counted.sink('store', files(false));
      counted.map((text) => text.toUpperCase()).sink('deliver', rows());
    }),
};

/** Jobs whose sinks do not all write to Kafka. */
export const reachingJobs: readonly SimJob[] = [reaching, mixing];
