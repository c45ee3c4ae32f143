import { rmSync } from 'node:fs';
import { type BrokerAddress, parseBrokerAddress } from '../../lib/config/broker-address.ts';
import { ConfigError } from '../../lib/config/fault.ts';
import { parameters } from '../../lib/config/parameters.ts';
import { readToolConfig } from '../../lib/config/read-config.ts';
import { type DynamoDbLocalService, startDynamoDbLocal } from './dynamodb-local.ts';
import { EMULATOR_REGION, type EmulatorService, startEmulator } from './emulator.ts';
import { type KafkaOptions, type KafkaService, startKafka } from './kafka.ts';
import { openKeeper } from './kept-process.ts';
import { type Report, withProgress } from './progress.ts';
import { accepts } from './service.ts';

/** Kafka and AWS to run a job on, wherever they come from. */
export interface Stack {
  readonly kafka: { readonly bootstrap: string };
  readonly aws: { readonly endpoint: string };
  readonly dynamodbLocal: { readonly endpoint: string } | undefined;
  /** To add to the environment of a job, of its functions and of AWS clients. */
  readonly env: Readonly<Record<string, string>>;
  /** Removes this file or folder when the stack ends. An embedded one does so also when this process is killed. */
  removeAtEnd(path: string): void;
  /** Ends what was started, and nothing else. May be called again. */
  stop(): Promise<void>;
}

/** A stack of our own processes, which can be killed, frozen and started again. */
export interface EmbeddedStack extends Stack {
  readonly kafka: KafkaService;
  readonly emulator: EmulatorService;
  readonly dynamodbLocal: DynamoDbLocalService | undefined;
  /** Data, settings and logs. */
  readonly dir: string;
}

export interface StackOptions {
  /** Folder for data and logs, kept at the end. Default: a temporary one, removed at the end. */
  readonly dir?: string | undefined;
  readonly kafka?: KafkaOptions;
  /** Also Amazon's DynamoDB Local. Default false. */
  readonly dynamodbLocal?: boolean;
  /** Gets a line about whatever takes more than 2 s. Default: standard error. */
  readonly report?: Report;
}

/** Starts a Kafka broker and the AWS emulator on free ports of 127.0.0.1. They end with this process, however it ends. */
export async function startStack(options: StackOptions = {}): Promise<EmbeddedStack> {
  const report = options.report ?? ((line) => process.stderr.write(`${line}\n`));
  const keeper = await openKeeper({ dir: options.dir });
  try {
    const [kafka, emulator, dynamodbLocal] = await withProgress(
      `starting Kafka and the AWS emulator in ${keeper.dir}`,
      report,
      Promise.all([
        startKafka(keeper, options.kafka),
        startEmulator(keeper),
        options.dynamodbLocal === true ? startDynamoDbLocal(keeper) : undefined,
      ]),
    );
    let stopped: Promise<void> | undefined;
    const stop = async () => {
      // What is thrown away need not be put in order first.
      if (keeper.keepsDir) await withProgress('stopping Kafka and the AWS emulator', report, Promise.all([kafka.end(), emulator.end()]));
      await keeper.close();
    };
    return {
      kafka,
      emulator,
      aws: { endpoint: emulator.endpoint },
      dynamodbLocal,
      dir: keeper.dir,
      env: stackEnvironment({ brokers: kafka.bootstrap, awsEndpoint: emulator.endpoint, region: EMULATOR_REGION }),
      removeAtEnd: (path) => keeper.removeAtEnd(path),
      stop: () => {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    await keeper.close();
    throw error;
  }
}

/**
 * The stack that this environment asks for: with `ONCEFLOW_STACK=external` the one at `ONCEFLOW_BROKERS` and
 * `AWS_ENDPOINT_URL` (default: the ports of `compose.yaml`), otherwise an embedded one.
 */
export async function openStack(options: StackOptions = {}, env: NodeJS.ProcessEnv = process.env): Promise<Stack> {
  return readToolConfig(env).stack === 'external' ? externalStack(options, env) : startStack(options);
}

async function externalStack(options: StackOptions, env: NodeJS.ProcessEnv): Promise<Stack> {
  const brokers = env['ONCEFLOW_BROKERS'] || '127.0.0.1:9092';
  const awsEndpoint = env['AWS_ENDPOINT_URL'] || 'http://127.0.0.1:4566';
  const dynamodbLocal = env['ONCEFLOW_DYNAMODB_LOCAL'] || 'http://127.0.0.1:8000';
  const addresses = brokers.split(',').map((broker) => parseBrokerAddress(broker.trim()));
  await mustAnswer('Kafka', parameters.brokers.variable, brokers, addresses);
  const mustServe = (what: string, option: string, url: string) => mustAnswer(what, option, url, [placeOf(url)]);
  await mustServe('AWS', 'AWS_ENDPOINT_URL', awsEndpoint);
  if (options.dynamodbLocal === true) await mustServe('DynamoDB Local', parameters.dynamodbLocal.variable, dynamodbLocal);
  return {
    kafka: { bootstrap: brokers },
    aws: { endpoint: awsEndpoint },
    dynamodbLocal: options.dynamodbLocal === true ? { endpoint: dynamodbLocal } : undefined,
    env: stackEnvironment({ brokers, awsEndpoint, region: env['AWS_REGION'] || EMULATOR_REGION }),
    removeAtEnd: (path) => void process.once('exit', () => rmSync(path, { recursive: true, force: true })),
    stop: async () => {},
  };
}

/** One of them. */
async function mustAnswer(what: string, option: string, value: string, at: readonly (BrokerAddress | undefined)[]): Promise<void> {
  for (const address of at) if (address !== undefined && (await accepts(address.port, address.host))) return;
  const rule = `where ${what} answers, with ${parameters.stack.variable}=external, and nothing does`;
  const mend = `start it with "docker compose up --wait", or unset ${parameters.stack.variable} to have everything started here`;
  throw new ConfigError([{ option, value, rule, mend }]);
}

/** The configuration has been checked. */
function placeOf(url: string): BrokerAddress {
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'http:' ? 80 : 443) };
}

/** What leads a job and AWS clients to a stack. */
export function stackEnvironment(where: {
  readonly brokers: string;
  readonly awsEndpoint: string;
  readonly region: string;
}): Record<string, string> {
  return {
    ONCEFLOW_BROKERS: where.brokers,
    AWS_ENDPOINT_URL: where.awsEndpoint,
    AWS_REGION: where.region,
    AWS_DEFAULT_REGION: where.region,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
