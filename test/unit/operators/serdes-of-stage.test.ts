import { expect, it } from 'vitest';
import { connect, defineJob, kafkaSink, kafkaSource, mapState, type Serde, utf8, valueState } from '../../../lib/api/index.ts';
import { serdesOfStage } from '../../../lib/operators/serdes-of-stage.ts';
import { compiled } from './runtimes.ts';

const named = (name: string): Serde<string> => ({ ...utf8, name });

it('the serdes of a stage are those of what it reads, keeps and writes, and of no other stage', () => {
  const shared = named('shared');
  const job = defineJob('all', (draft) => {
    const lines = draft.source(
      'lines',
      kafkaSource({ topic: 'lines', key: named('source key'), value: named('source'), select: ({ value }) => value ?? '' }),
    );
    const rules = draft.source('rules', kafkaSource({ topic: 'rules', value: shared })).broadcast({ value: named('broadcast') });
    const checked = connect({
      lines: lines.map((line) => line).keyBy((line) => line, named('key'), { value: named('exchange') }),
      rules,
    }).process('check', {
      state: { last: valueState(named('state')) },
      broadcastState: { rule: mapState(named('rule key'), shared) },
      on: { lines: (line, _state, out: { emit(value: string): void }) => out.emit(line), rules: () => {} },
    });
    lines.sink('write-lines', kafkaSink({ topic: 'out', value: named('sink of lines') }));
    checked.sink(
      'write',
      kafkaSink({ topic: 'out', key: named('sink key'), value: shared, toRecord: (text: string) => ({ key: text, value: text }) }),
    );
  });
  const names = (stage: string) =>
    serdesOfStage(compiled(job), stage)
      .map(({ name }) => name)
      .toSorted();
  expect(names('lines')).toEqual(['exchange', 'key', 'sink of lines', 'source', 'source key']);
  expect(names('rules')).toEqual(['broadcast', 'shared']);
  expect(names('check')).toEqual(['broadcast', 'exchange', 'key', 'rule key', 'shared', 'sink key', 'state']);
});
