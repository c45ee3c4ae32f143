import { expect, test } from 'vitest';
import { defineJob, kafkaSink, kafkaSource, utf8 } from '../../../lib/api/index.ts';
import { compilePlan } from '../../../lib/plan/compile.ts';
import { topicsOf } from '../../../local/job-topics.ts';

test('what is made for a job before it starts here: topics of sources and sinks, that of dead letters included', () => {
  const job = defineJob('copying', (builder) => {
    builder.source('read', kafkaSource({ topic: 'in', value: utf8 })).sink('write', kafkaSink({ topic: 'out', value: utf8 }));
  });
  const plan = compilePlan(job, 'dead');
  expect(topicsOf(plan)).toEqual(['in', 'out', 'dead']);
  expect(topicsOf(plan, 'sink')).toEqual(['out', 'dead']);
});
