import type { Readable } from 'node:stream';

/** What `onceflow dev` was asked for. */
export interface DevOptions {
  /** Of the process: every ONCEFLOW_… variable sets the job. */
  readonly env: NodeJS.ProcessEnv;
  /** The job's module. @default ONCEFLOW_JOB, else the first of `USUAL_MODULES` that is there */
  readonly module: string | undefined;
  /** On brokers of the user: topics that are missing are made. On an embedded one they always are. */
  readonly createTopics: boolean;
  /** Of topics that are made. */
  readonly partitions: number;
  /** The source, by its uid or its topic, that gets what comes in on standard input. @default the only one, or which a line names */
  readonly input: string | undefined;
  /** What is kept from one start to the next. @default .onceflow/dev in the working directory */
  readonly folder: string | undefined;
  /** Of the embedded broker. @default a port that is free */
  readonly port: number | undefined;
  /** Forgets what was kept. */
  readonly fresh: boolean;
  /** Ends when all that came in is committed. */
  readonly once: boolean;
  /** And then so much later. @default 0 */
  readonly staysMs?: number | undefined;
  /** Kills one of the job's processes so often, but not before an epoch was committed since. Undefined: none. */
  readonly killEveryS: number | undefined;
  /** Says what each epoch does. */
  readonly verbose: boolean;
  /** For people. */
  readonly say: (line: string) => void;
  /** What the job has committed. */
  readonly show: (line: string) => void;
  /** A JSON object for each record. @default text */
  readonly json: boolean;
  readonly stdin: Readable & { readonly isTTY?: boolean };
}
