import type { CfnFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { topicsWritten } from '../host/job/topics.ts';
import { nameInCluster } from '../lib/config/clusters.ts';
import { EMULATED_BROKERS, EMULATED_JOB, type EmulatedJob } from '../lib/config/emulated.ts';
import { clusterParameters, parameters } from '../lib/config/parameters.ts';
import { clustersIn } from '../lib/config/read-clusters.ts';
import type { DeploymentSettings, Given } from './settings.ts';

/** What is of the real brokers and of the real account: the emulator's are plain, and everything goes with it. */
const OF_THE_REAL_ONE = /^ONCEFLOW_(KAFKA_|ADOPT_|ALARM_TOPIC$)/;

/** The brokers of the emulator that this app is deployed to by `onceflow deploy-local`. Undefined: it is deployed otherwise. */
export function emulatedBrokers(scope: Construct): string | undefined {
  const brokers: unknown = scope.node.tryGetContext(EMULATED_BROKERS);
  return typeof brokers === 'string' ? brokers : undefined;
}

/** A deployment's parameters as they are on an emulator of this machine. */
export function onEmulator(given: Given, brokers: string): Given {
  return {
    ...Object.fromEntries(Object.entries(given).filter(([variable]) => !OF_THE_REAL_ONE.test(variable))),
    [parameters.brokers.variable]: brokers,
    // One broker stands for all clusters.
    ...Object.fromEntries(clustersIn(given).map((cluster) => [clusterParameters(cluster).brokers.variable, brokers])),
    // Functions are processes of this machine, and go with it.
    [parameters.architecture.variable]: process.arch === 'arm64' ? 'arm64' : 'x86_64',
    [parameters.removal.variable]: 'destroy',
    // The emulator takes no alarm on an expression.
    [parameters.monitoring.variable]: 'off',
  };
}

/** Tells the command what it has deployed. */
export function tellEmulator(coordinator: LambdaFunction, { job }: DeploymentSettings, outputs: EmulatedJob['outputs']): void {
  const { stages } = job.plan;
  const resource = coordinator.node.defaultChild as CfnFunction;
  resource.addMetadata(EMULATED_JOB, {
    name: job.name,
    sources: stages.flatMap((stage) => (stage.kind === 'source' ? [{ uid: stage.id, topic: nameInCluster(stage.topic) }] : [])),
    writes: topicsWritten(job.plan).map(nameInCluster),
    functionName: resource.functionName ?? '',
    outputs,
  } satisfies EmulatedJob);
}
