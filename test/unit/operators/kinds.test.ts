import { expect, test } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import type { JobNode, KeyByNode, ProcessNode } from '../../../lib/graph/job.ts';
import { nodeKinds } from '../../../lib/graph/kinds.ts';
import type { OperatorKinds } from '../../../lib/operators/kind.ts';
import { operatorKinds } from '../../../lib/operators/kinds.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { compiled, partsTo, recordSet, stageContext, stagedValues, throughBlob } from './runtimes.ts';

test('a kind that is not handled does not compile, nor one that is handled as its place does not ask', () => {
  const { filter: _, ...withoutFilter } = operatorKinds;
  // @ts-expect-error: filter is missing
  const incomplete: OperatorKinds = withoutFilter;
  // @ts-expect-error: what stands behind a keyBy keeps state, and takes rows
  const misplaced: OperatorKinds = { ...operatorKinds, process: operatorKinds.map };
  expect(Object.keys(incomplete)).not.toContain('filter');
  expect(misplaced.process).toBe(operatorKinds.map);
});

test('each kind of node has a place in the graph and runs', () => {
  const kinds: JobNode['kind'][] = [
    'source',
    'map',
    'filter',
    'flatMap',
    'mapAsync',
    'union',
    'stamp',
    'broadcast',
    'keyBy',
    'process',
    'window',
    'sideOutput',
    'sink',
  ];
  expect(Object.keys(operatorKinds).sort()).toEqual([...kinds].sort());
  expect(Object.keys(nodeKinds).sort()).toEqual([...kinds].sort());
});

test('a stage with two inputs runs both over one state, each with its own serde for values', () => {
  const base = defineJob('two-inputs', (job) => {
    job
      .source('names', kafkaSource({ topic: 'names', value: utf8 }))
      .keyBy((name) => name, utf8, { value: utf8 })
      .process('count', {
        state: { count: valueState(int64, 0) },
        onRecord(value, { count }, out: Output<string>) {
          out.emit(`${typeof value} ${value}: ${count.update((n) => n + 1)}`);
        },
      })
      .sink('out', kafkaSink({ topic: 'out', value: utf8 }));
    job
      .source('numbers', kafkaSource({ topic: 'numbers', value: utf8 }))
      .map(Number)
      .sink('unused', kafkaSink({ topic: 'unused', value: int64 }));
  });
  const id = base.nodes.length;
  const byNumber: KeyByNode = {
    kind: 'keyBy',
    id,
    inputs: [id - 2],
    selector: (value) => `n${value}`,
    key: utf8 as never,
    value: int64 as never,
  };
  // The names are known before the operator is.
  const nodes = base.nodes.map((node) =>
    node.kind === 'process' ? ({ ...node, inputs: [1, id], onRecord: [...node.onRecord, ...node.onRecord] } satisfies ProcessNode) : node,
  );
  const job = compiled({ ...base, nodes: [...nodes, byNumber] });
  expect(job.plan.edges.map((edge) => edge.id)).toContain('numbers>count.1');
  const segmentOf = (stage: string, value: string) => {
    const source = createSourceRuntime(job, stage, stageContext());
    source.begin();
    source.consume(stage, 0, recordSet([{ value }]), { from: 0, to: 1, aborted: [] });
    return throughBlob(partsTo(source.finish(), 'count')[0] ?? []);
  };
  const operator = createOperatorRuntime(job, 'count', stageContext(), 0);
  operator.begin();
  operator.consume(segmentOf('names', 'n7'));
  operator.consume(segmentOf('numbers', '7'), undefined, 1);
  operator.consume(segmentOf('names', 'other'), undefined, 0);
  expect(stagedValues(operator.finish(), 'out').sort()).toEqual(['number 7: 2', 'string n7: 1', 'string other: 1']);
  operator.states.get('count')?.takeDelta();
  operator.begin();
  expect(() => operator.consume(segmentOf('names', 'n7'), undefined, 2)).toThrow('count has no input 2');
});
