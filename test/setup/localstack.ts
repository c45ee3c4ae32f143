import type { TestProject } from 'vitest/node';
import { EMULATOR_REGION } from '../../local/stack/emulator.ts';
import { startKafka } from '../../local/stack/kafka.ts';
import { openKeeper } from '../../local/stack/kept-process.ts';
import { startLocalStack } from '../../local/stack/localstack.ts';
import { withProgress } from '../../local/stack/progress.ts';
import { openStack, type Stack, stackEnvironment } from '../../local/stack/stack.ts';

/** As `stack.ts`, with LocalStack in the place of the AWS emulator; with an external stack, that of `compose.yaml` has it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const external = process.env['ONCEFLOW_STACK'] === 'external';
  const stack = external ? await openStack({ dynamodbLocal: true }) : await startStackOnLocalStack();
  project.provide('stackEnvironment', { ...stack.env, ONCEFLOW_DYNAMODB_LOCAL: stack.dynamodbLocal?.endpoint ?? '' });
  return () => stack.stop();
}

async function startStackOnLocalStack(): Promise<Stack> {
  const keeper = await openKeeper();
  try {
    const [kafka, aws] = await withProgress(
      `starting Kafka and LocalStack in ${keeper.dir}`,
      (line) => console.error(line),
      Promise.all([startKafka(keeper), startLocalStack(keeper)]),
    );
    return {
      kafka,
      aws,
      dynamodbLocal: aws.dynamodbLocal,
      env: stackEnvironment({ brokers: kafka.bootstrap, awsEndpoint: aws.endpoint, region: EMULATOR_REGION }),
      removeAtEnd: (path) => keeper.removeAtEnd(path),
      stop: () => keeper.close(),
    };
  } catch (error) {
    await keeper.close();
    throw error;
  }
}
