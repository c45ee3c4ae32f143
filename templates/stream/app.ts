import { App, Stack } from 'aws-cdk-lib';
import { StreamJob } from 'onceflow/cdk';

const stack = new Stack(new App(), 'my-stream');
new StreamJob(stack, 'Job', {
  job: './src/job.ts',
  // A Kafka in a VPC needs `network: { vpc }` too.
  kafka: { brokers: process.env['KAFKA_BROKERS'] ?? 'broker.example.com:9092' },
});
