import { expect, it } from 'vitest';
import { configureJob } from '../../../host/job/configured-job.ts';
import { defineJob, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { readConfig } from '../../../lib/config/read-config.ts';

/** Subtasks by stage, of a job of these uids. */
function subtasksOf(source: string, sink: string, settings: Readonly<Record<string, string>> = {}) {
  const job = defineJob('job', (builder) => {
    builder.source(source, kafkaSource({ topic: 'in', value: utf8 })).sink(sink, kafkaSink({ topic: 'out', value: utf8 }));
  });
  const env = { ONCEFLOW_JOB: './job.ts', ONCEFLOW_BROKERS: 'a:1', ONCEFLOW_BLOBS: 's3://bucket', ONCEFLOW_PARALLELISM: '2', ...settings };
  return configureJob(readConfig(env), job).parallelism;
}

it('a stage with the uid constructor, which every object has, has subtasks as any other', () => {
  expect(subtasksOf('constructor', 'write')).toEqual({ constructor: 2, write: 2 });
  expect(subtasksOf('read', 'constructor')).toEqual({ read: 2, constructor: 2 });
  expect(subtasksOf('read', 'constructor', { ONCEFLOW_STAGE_PARALLELISM: 'read=3' })).toEqual({ read: 3, constructor: 2 });
});
