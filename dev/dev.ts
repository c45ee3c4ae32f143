import { resolve } from 'node:path';
import { openKafka } from '../host/kafka.ts';
import { openEpochStore } from '../host/stores.ts';
import { systemClock } from '../host/system.ts';
import { budgetFaults } from '../lib/config/budget.ts';
import { ConfigError } from '../lib/config/fault.ts';
import { readCertificates } from '../lib/config/kafka-certificates.ts';
import { readConfig } from '../lib/config/read-config.ts';
import { UsageError } from '../lib/config/usage-error.ts';
import { topicsOf } from '../local/job-topics.ts';
import { openKeeper } from '../local/stack/kept-process.ts';
import { startEmbedded } from './broker/embedded.ts';
import { claimFolder } from './claim-folder.ts';
import { writeEnvironment } from './environment.ts';
import { jobModule, type LoadedJob, moduleOf } from './job-module.ts';
import { type LineInput, type LineSource, lineInput } from './line-input.ts';
import type { DevOptions } from './options.ts';
import { followOutput } from './output.ts';
import { prepareTopics, runJobs } from './run-jobs.ts';

/** A person waits: brokers that are not there are said soon. */
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
const NOT_STARTED_YET = 'not-started-yet:9092';

/**
 * Runs a job here until it is interrupted, and again each time that its module is saved: epochs in a file of SQLite, blobs in a folder,
 * Kafka the user's or an embedded one. What comes in on standard input goes to its source, and what it commits is shown.
 *
 * @returns whether all went well to the end
 * @throws UsageError, ConfigError, JobDefinitionError: nothing runs
 */
export async function dev(options: DevOptions): Promise<boolean> {
  const { env, say } = options;
  const module = moduleOf(options.module, env);
  const named = env['ONCEFLOW_BROKERS'] || undefined;
  if (named !== undefined && options.port !== undefined)
    throw new UsageError('--port is of the embedded broker, and ONCEFLOW_BROKERS names others: leave one of the two out');
  const folder = folderOf(options.folder, named);

  // All that can be told before anything starts: where Kafka will be changes nothing in what is right.
  const early = { ...jobEnvironment(options, folder), ONCEFLOW_JOB: module, ONCEFLOW_BROKERS: named ?? NOT_STARTED_YET };
  const config = readConfig(early);
  const faults = budgetFaults(config);
  if (faults.length > 0) throw new ConfigError(faults);
  readCertificates(config);
  const source = jobModule(module, early, resolve(folder, 'translated'));
  const first = source.look();
  if (first instanceof Error) throw first;
  const input = lineInput(sourcesOf(first), options.input);

  const claim = claimFolder(folder, options.fresh);
  const closing: (() => Promise<void> | void)[] = [() => claim.release()];
  try {
    const keeper = named === undefined ? await openKeeper({ dir: resolve(folder, 'kafka') }) : undefined;
    closing.unshift(async () => keeper?.close());
    const embedded = { port: options.port, archive: config.kafkaArchive, say };
    const broker = keeper === undefined ? undefined : await startEmbedded(keeper, embedded);
    closing.unshift(async () => broker?.stop());
    const brokers = broker?.bootstrap ?? named ?? '';
    const kafka = await openKafka(config, {
      brokers: brokers.split(',').map((text) => text.trim()),
      clientId: 'onceflow-dev',
      connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      clock: systemClock,
    });
    closing.unshift(() => kafka.close());
    const output = followOutput({ kafka, clock: systemClock, ...options });
    closing.unshift(() => output.close());
    const makeWith = broker !== undefined || options.createTopics ? { partitions: options.partitions } : undefined;
    const epochs = await openEpochStore(config);
    const work = { options, source, kafka, output, epochs, config, makeWith, env: { ...early, ONCEFLOW_BROKERS: brokers } };
    await prepareTopics(work, first);
    const shell = resolve(folder, 'env');
    const ours = Object.entries(work.env).filter(([name]) => name.startsWith('ONCEFLOW_'));
    closing.unshift(writeEnvironment(shell, { ...Object.fromEntries(ours), ONCEFLOW_JOB_NAME: first.summary.name }));
    say(welcome(first, { brokers, input, isEmbedded: broker !== undefined, shell }));
    return await runJobs(work, first, input.route);
  } finally {
    for (const close of closing) await close();
  }
}

/** The data of each cluster are apart: an epoch of one says nothing of another. */
function folderOf(named: string | undefined, brokers: string | undefined): string {
  return resolve(named ?? '.onceflow/dev', brokers === undefined ? 'embedded' : brokers.replaceAll(/[^A-Za-z0-9.-]/g, '_'));
}

/** What the user has set, and for what is not set what is here. */
function jobEnvironment({ env, fresh }: DevOptions, folder: string): Readonly<Record<string, string | undefined>> {
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return {
    ONCEFLOW_TABLE: `file://${folder}/epochs.sqlite`,
    ONCEFLOW_BLOBS: `file://${folder}/blobs`,
    // A consumer group on brokers of the user's still knows that the job has run.
    ...(fresh ? { ONCEFLOW_ON_MISSING_STATE: 'start-anew' } : {}),
    ...Object.fromEntries(set),
  };
}

function sourcesOf({ summary: { plan } }: LoadedJob): readonly LineSource[] {
  return plan.stages.flatMap((stage) => (stage.kind === 'source' ? [{ uid: stage.id, topic: stage.topic }] : []));
}

interface Around {
  readonly brokers: string;
  readonly input: LineInput;
  readonly isEmbedded: boolean;
  readonly shell: string;
}

function welcome({ summary: { name, plan } }: LoadedJob, { brokers, input, isEmbedded, shell }: Around): string {
  const outputs = topicsOf(plan, 'sink').join(', ');
  return [
    `job ${name} on ${isEmbedded ? 'an embedded Kafka' : 'Kafka'} at ${brokers}`,
    input.says,
    ...(outputs === '' ? [] : [`what it commits to ${outputs} is shown here`]),
    `in another terminal: . ${shell}; npx onceflow status`,
    'save the job to run it anew; Ctrl-C ends',
  ].join('\n  ');
}
