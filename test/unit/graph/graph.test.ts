import { expect, it } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';

it("a job's graph says of each node what a person can change, and nothing that is no JSON", () => {
  const job = defineJob('job', (builder) => {
    const counts = builder
      .source('src', kafkaSource({ topic: 'in', key: utf8, value: utf8, startingOffsets: 'earliest' }))
      .flatMap((line) => line.split(' '))
      .keyBy((word) => word, utf8)
      .process('count', {
        state: { count: valueState(int64, 0) },
        onRecord(word, { count }, out: Output<string>) {
          out.emit(`${word} ${count.update((n) => n + 1)}`);
        },
      });
    counts.sink('out', kafkaSink({ topic: 'counts', value: utf8 }));
    counts.sink('copy', kafkaSink({ topic: 'copies', value: utf8, key: utf8, toRecord: (text) => ({ key: text, value: text }) }));
  });
  const graph = describeGraph(job);
  expect(graph).toEqual({
    job: 'job',
    nodes: [
      { id: 0, kind: 'source', uid: 'src', topic: 'in', startingOffsets: 'earliest', key: 'utf8', value: 'utf8' },
      { id: 1, kind: 'flatMap' },
      { id: 2, kind: 'keyBy', key: 'utf8', value: 'structured' },
      { id: 3, kind: 'process', uid: 'count', key: 'utf8', states: [{ name: 'count', kind: 'value', serdes: ['int64'] }] },
      { id: 4, kind: 'sink', uid: 'out', topics: ['counts'], delivery: 'exactly-once', value: 'utf8' },
      { id: 5, kind: 'sink', uid: 'copy', topics: ['copies'], delivery: 'exactly-once', key: 'utf8', value: 'utf8' },
    ],
    edges: [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
      { from: 2, to: 3 },
      { from: 3, to: 4 },
      { from: 3, to: 5 },
    ],
  });
  expect(JSON.parse(JSON.stringify(graph))).toEqual(graph);
});
