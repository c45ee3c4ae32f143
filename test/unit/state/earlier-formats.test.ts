import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { defineJob, int64, json, kafkaSink, kafkaSource, utf8, valueState } from '../../../lib/api/index.ts';
import { type BlobKind, openBlob, sealBlob } from '../../../lib/format/blob.ts';
import { ExchangeReader } from '../../../lib/format/exchange-reader.ts';
import { checkCompatible, fingerprint } from '../../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../../lib/graph/graph.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { parseManifest } from '../../../lib/protocol/manifest.ts';
import { decodeStagedOutput } from '../../../lib/sinks/kafka/staged-output.ts';
import { decodeHead, partOf, snapshotOfPart } from '../../../lib/state/snapshot/head.ts';
import { compiled, partsTo, recordSet, stageContext, stagedValues, throughBlob } from '../operators/runtimes.ts';

/* What a build before kinds wrote of this job: see test/fixtures/README.md. */

const FIXTURE = new URL('../../fixtures/formats-1.json', import.meta.url);
const before = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Record<
  'fingerprint' | 'exchange' | 'output' | 'base' | 'delta' | 'manifest',
  string
>;
const opened = (kind: BlobKind, base64: string) => openBlob(kind, Buffer.from(base64, 'base64'), kind);
const stored = [opened('state', before.base), opened('state', before.delta)];

const job = defineJob('words', (builder) => {
  builder
    .source('read-lines', kafkaSource({ topic: 'in', value: utf8 }))
    .flatMap((line) => line.split(' '))
    .keyBy((word) => word, utf8)
    .process('count-words', {
      state: { count: valueState(int64, 0), lines: valueState(json<string[]>(), []) },
      onRecord(word, { count, lines }, out) {
        out.emit(`${word}:::${count.update((n) => n + 1)} ${lines.get()}`);
      },
    })
    .sink('write-counts', kafkaSink({ topic: 'out', value: utf8 }));
});
const context = stageContext({ partitions: 1 });

/** Counts the words on top of a restore from these payloads, and gives what it would write and the next delta. */
function goOn(payloads: readonly Buffer[], line: string) {
  const source = createSourceRuntime(compiled(job), 'read-lines', context);
  const operator = createOperatorRuntime(compiled(job), 'count-words', context, 0);
  const state = operator.states.get('count-words');
  state?.load(payloads);
  source.begin();
  source.consume('in', 0, recordSet([{ value: line }]), { from: 0, to: 1, aborted: [] });
  operator.begin();
  operator.consume(throughBlob(partsTo(source.finish(), 'count-words')[0] ?? []));
  const written = stagedValues(operator.finish(), 'write-counts').map((text) => Buffer.from(text ?? '', 'latin1').toString('utf8'));
  return { written, delta: Buffer.concat(state?.takeDelta() ?? []), size: state?.size };
}

test('state of a build before kinds is read, its deltas too, and goes on in the format of this one', () => {
  const first = goOn(stored, 'hello gone ü other');
  expect(first.written).toEqual(['hello:::4 hello,hello,hello', 'gone:::1 ', 'ü:::2 ', 'other:::1 ']);
  expect(first.size).toBe(6);
  const then = openBlob('state', Buffer.concat(sealBlob('state', [first.delta])), 'delta');
  expect(goOn([...stored, then], 'hello gone world').written).toEqual(['hello:::5 hello,hello,hello', 'gone:::2 ', 'world:::2 world']);
});

test('a part of a snapshot of a build before kinds is one of this build', () => {
  const [base] = stored as [Buffer];
  const { head, end } = decodeHead(base, 'base');
  expect(head.states).toEqual([
    { name: 'count', kind: 'value', serdes: ['int64'] },
    { name: 'lines', kind: 'value', serdes: ['json'] },
  ]);
  const [first, ...others] = head.groups.map(({ keyGroup }) => keyGroup);
  const range = { first: others[0] ?? 0, last: 127 };
  const { start, end: partEnd } = partOf(head, range);
  const part = snapshotOfPart(head, range, base.subarray(end + start, end + partEnd), 'base');
  expect(decodeHead(part, 'part').head).toEqual({ states: head.states, groups: head.groups.filter(({ keyGroup }) => keyGroup !== first) });
  expect(goOn([part], 'new').size).toBe(head.groups.length);
});

test('exchange, staged output and manifest of a build before kinds are read', () => {
  const exchange = new ExchangeReader();
  exchange.open(opened('exchange', before.exchange), 'exchange');
  expect(exchange.rows).toBe(3);
  expect(decodeStagedOutput(opened('output', before.output), 'output').map(({ topic }) => topic)).toEqual(['out']);
  const manifest = parseManifest(JSON.parse(opened('manifest', before.manifest).toString('utf8')), 'manifest');
  expect(manifest.state['count-words']?.[0]?.deltas).toEqual([{ at: 'inline', base64: before.delta }]);
});

test('the fingerprint of a build before kinds is that of the same graph now', () => {
  const now = fingerprint(describeGraph(job));
  expect(now).not.toBe(before.fingerprint);
  expect(checkCompatible(before.fingerprint, now)).toEqual({ outcome: 'same' });
});
