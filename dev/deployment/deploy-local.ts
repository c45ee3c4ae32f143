import { mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { openKafka } from '../../host/kafka.ts';
import { systemClock } from '../../host/system.ts';
import { readToolConfig } from '../../lib/config/read-config.ts';
import { UsageError } from '../../lib/config/usage-error.ts';
import { missingPrerequisites } from '../../local/prerequisites.mjs';
import { EMULATOR_REGION, startEmulator } from '../../local/stack/emulator.ts';
import { type Keeper, openKeeper } from '../../local/stack/kept-process.ts';
import { withProgress } from '../../local/stack/progress.ts';
import { StartError } from '../../local/stack/service.ts';
import { stackEnvironment } from '../../local/stack/stack.ts';
import { type EmbeddedBroker, startEmbedded } from '../broker/embedded.ts';
import { writeEnvironment } from '../environment.ts';
import { type LineInput, lineInput } from '../line-input.ts';
import { followOutput } from '../output.ts';
import { ensureTopics } from '../topics.ts';
import { installEmulator } from './install-emulator.ts';
import { type AppStack, type DeployedJob, projectCdk } from './project-cdk.ts';
import { openDeployed, runDeployed, startAll } from './run-deployed.ts';

/** The emulator's account, for an app that names none. */
const ACCOUNT = '000000000000';

/** What `onceflow deploy-local` was asked for. */
export interface DeployLocalOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The folder with cdk.json. */
  readonly project: string;
  /** The stack's name. @default all of the app */
  readonly stack: string | undefined;
  /** The source, by its uid or its topic, that gets what comes in on standard input. @default the only one */
  readonly input: string | undefined;
  /** Of topics that are made. */
  readonly partitions: number;
  /** Of the embedded broker. @default a port that is free */
  readonly port: number | undefined;
  /** Ends when all that came in is committed. */
  readonly once: boolean;
  /** For people. */
  readonly say: (line: string) => void;
  /** What the jobs have committed. */
  readonly show: (line: string) => void;
  /** A JSON object for each record. @default text */
  readonly json: boolean;
  readonly stdin: NodeJS.ReadStream;
}

/**
 * Deploys a project's own CDK app to an AWS emulator on this machine, beside a Kafka broker, and runs its jobs there, until it is
 * interrupted. What comes in on standard input goes to a source, and what is committed is shown. Nothing of it is kept.
 *
 * @returns whether all went well to the end
 * @throws UsageError, ConfigError: nothing runs
 */
export async function deployLocal(options: DeployLocalOptions): Promise<boolean> {
  const { kafkaArchive: archive } = readToolConfig(options.env);
  const { say } = options;
  const { problem } = await missingPrerequisites(['java', 'python']);
  if (problem !== undefined) throw new UsageError(`Kafka needs Java, and the AWS emulator Python: ${problem}`);
  const keeper = await openKeeper();
  const closing: (() => Promise<void> | void)[] = [() => keeper.close()];
  try {
    const port = options.port ?? (await keeper.takePort());
    const cdk = openCdk(options, keeper);
    // Before anything else starts: most that can be wrong is in the app.
    const stacks = chosen(await withProgress('cdk synth', say, cdk.of(undefined).synth(`127.0.0.1:${port}`)), options.stack);
    const jobs = stacks.flatMap((stack) => stack.jobs);
    const input = lineInput(
      jobs.flatMap((job) => job.sources),
      options.input,
    );

    const [broker, aws] = await startBoth(keeper, { port, archive, say });
    closing.unshift(() => broker.stop());
    const account = accountOf(stacks);
    const env = { ...stackEnvironment({ brokers: broker.bootstrap, awsEndpoint: aws.endpoint, region: account.region }), ...account.keys };
    leadTo(env);
    const kafka = await openKafka(readToolConfig({}), {
      brokers: [broker.bootstrap],
      clientId: 'onceflow-deploy-local',
      clock: systemClock,
    });
    closing.unshift(() => kafka.close());
    const topics = jobs.flatMap(({ sources, writes }) => [...sources.map(({ topic }) => topic), ...writes]);
    await ensureTopics(kafka, systemClock, { topics, makeWith: { partitions: options.partitions } });
    const output = followOutput({ kafka, clock: systemClock, ...options });
    closing.unshift(() => output.close());
    await output.follow(jobs.flatMap(({ writes }) => writes));

    const onEmulator = cdk.of({ ...env, AWS_ENDPOINT_URL_S3: aws.endpoint });
    for (const environment of new Set(stacks.map((stack) => `aws://${account.id}/${regionOf(stack)}`)))
      await withProgress(`cdk bootstrap ${environment}`, say, onEmulator.bootstrap(environment));
    const deployed = await withProgress('cdk deploy', say, onEmulator.deploy(stacks));
    const running = await Promise.all(deployed.map(openDeployed));
    await withProgress('starting', say, startAll(running, aws.logFile));
    const shell = join(keeper.dir, 'env');
    writeEnvironment(shell, { ...env, ...onlyJob(deployed) });
    say(welcome(deployed, { brokers: broker.bootstrap, aws: aws.endpoint, input, shell }));
    return await runDeployed({ ...options, jobs: running, kafka, output }, input.route);
  } finally {
    for (const close of closing) await close();
  }
}

async function startBoth(
  keeper: Keeper,
  options: { readonly port: number; readonly archive: string; readonly say: (line: string) => void },
): Promise<readonly [EmbeddedBroker, Awaited<ReturnType<typeof startEmulator>>]> {
  const python = await installEmulator(options.say);
  const starting = async () => {
    try {
      return await withProgress('starting the AWS emulator', options.say, startEmulator(keeper, python));
    } catch (error) {
      if (error instanceof StartError) throw new UsageError(`the AWS emulator does not start: ${error.message}`);
      throw error;
    }
  };
  return Promise.all([startEmbedded(keeper, options), starting()]);
}

/** The CDK's command line for what is deployed to this emulator; undefined: there is none yet. */
function openCdk({ env, project }: DeployLocalOptions, keeper: Keeper) {
  const folder = join(keeper.dir, 'cdk');
  mkdirSync(folder);
  return {
    of(emulator: Readonly<Record<string, string>> | undefined) {
      const others = Object.entries(env).filter(([name]) => !name.startsWith('AWS_'));
      const node = dirname(process.execPath);
      return projectCdk({
        project,
        folder,
        env: {
          ...Object.fromEntries(others),
          ...(emulator ?? stackEnvironment({ brokers: '', awsEndpoint: 'http://127.0.0.1:9', region: EMULATOR_REGION })),
          PATH: [node, env['PATH']].join(delimiter),
          CDK_HOME: folder,
          CDK_DISABLE_CLI_TELEMETRY: 'true',
          CI: 'true',
        },
      });
    },
  };
}

/** @throws UsageError: there is no such stack, or no job in it */
function chosen(stacks: readonly AppStack[], named: string | undefined): readonly AppStack[] {
  const found = named === undefined ? stacks : stacks.filter(({ name }) => name === named);
  if (found.length === 0)
    throw new UsageError(`the CDK app has no stack ${named}: its stacks are ${stacks.map(({ name }) => name).join(', ')}`);
  if (found.some(({ jobs }) => jobs.length > 0)) return found;
  throw new UsageError(`no job is in ${found.map(({ name }) => name).join(', ')}: one is a StreamJob of onceflow/cdk`);
}

/** The emulator takes an access key of twelve digits for the account. @throws UsageError: stacks are in several */
function accountOf(stacks: readonly AppStack[]) {
  const ids = new Set(stacks.flatMap(({ environment }) => /^aws:\/\/(\d{12})\//.exec(environment)?.[1] ?? []));
  if (ids.size > 1) throw new UsageError(`stacks are of accounts ${[...ids].join(', ')}: name one stack`);
  const regions = new Set(stacks.map(regionOf));
  if (regions.size > 1) throw new UsageError(`stacks are of regions ${[...regions].join(', ')}: name one stack`);
  const [id] = ids;
  const [region = EMULATOR_REGION] = regions;
  const keys: Readonly<Record<string, string>> = id === undefined ? {} : { AWS_ACCESS_KEY_ID: id };
  return { id: id ?? ACCOUNT, region, keys };
}

function regionOf({ environment }: AppStack): string {
  const region = /^aws:\/\/[^/]*\/(.+)$/.exec(environment)?.[1];
  return region === undefined || region === 'unknown-region' ? EMULATOR_REGION : region;
}

/** This process's clients of AWS. */
function leadTo(env: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, env);
}

/** What leads `npx onceflow` to the job, where there is one. */
function onlyJob(jobs: readonly DeployedJob[]): Readonly<Record<string, string>> {
  const [job, ...others] = jobs;
  if (job === undefined || others.length > 0) return {};
  const prefix = job.functionName.replace(/-coordinator$/, '');
  return {
    ONCEFLOW_JOB_NAME: job.name,
    ONCEFLOW_TABLE: job.table,
    ONCEFLOW_BLOBS: job.blobs,
    ...(prefix === job.name ? {} : { ONCEFLOW_FUNCTION_PREFIX: prefix }),
  };
}

interface Around {
  readonly brokers: string;
  readonly aws: string;
  readonly input: LineInput;
  readonly shell: string;
}

function welcome(jobs: readonly DeployedJob[], { brokers, aws, input, shell }: Around): string {
  const outputs = [...new Set(jobs.flatMap(({ writes }) => writes))].join(', ');
  return [
    `${jobs.map(({ name }) => `job ${name}`).join(', ')} as Lambda functions of the emulator at ${aws}, on Kafka at ${brokers}`,
    input.says,
    ...(outputs === '' ? [] : [`what is committed to ${outputs} is shown here`]),
    `in another terminal: . ${shell}; npx onceflow status`,
    'Ctrl-C ends everything, and nothing is kept',
  ].join('\n  ');
}
