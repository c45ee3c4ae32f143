/**
 * What `cdk deploy` runs: one job, set by ONCEFLOW_… in the environment or in the CDK's context.
 *
 *     ONCEFLOW_BROKERS=broker.example.com:9092 npx cdk deploy -c ONCEFLOW_PARALLELISM=4
 */
import { App, Stack } from 'aws-cdk-lib';
import { parameters } from '../lib/config/parameters.ts';
import { givenBy, readSettings } from './settings.ts';
import { StreamJob } from './stream-job.ts';

try {
  const app = new App();
  const given = givenBy(process.env, app.node.getAllContext());
  // Checked before there is a stack, which is named by the job.
  const settings = readSettings(given);
  const { prefix } = settings;
  const stack = new Stack(app, `Onceflow-${prefix.replaceAll('_', '-')}`, { description: `Onceflow job ${prefix}` });
  new StreamJob(stack, 'Job', {
    job: given[parameters.job.variable] ?? '',
    kafka: { brokers: given[parameters.brokers.variable] ?? '' },
    parameters: given,
    settings,
  });
} catch (error) {
  console.error(error instanceof Error && ['ConfigError', 'JobDefinitionError'].includes(error.name) ? error.message : error);
  process.exitCode = 2;
}
