import { describe, expect, it } from 'vitest';
import { defineJob, int64, kafkaSink, kafkaSource, type Output, utf8, valueState } from '../../../lib/api/index.ts';
import { JOB, type SimJob } from '../sim-job.ts';
import { faultless } from '../user-code.ts';
import { at, ends, fourEpochs, story } from './story.ts';

/*
 * A uid is a user's, and `constructor` is one. So are topics, `__proto__` and `toString` among them, and the names of states.
 * Every plain object has something under these names.
 */

interface Names {
  readonly source: string;
  readonly operator: string;
  readonly sink: string;
  readonly state: string;
  readonly input: string;
  readonly output: string;
}

const ORDINARY: Names = { source: 'read', operator: 'count', sink: 'write', state: 'n', input: 'in', output: 'out' };

const words = (line: string) => line.split(' ').filter((word) => !word.startsWith('#'));

function wordCountOf({ source, operator, sink, state, input, output }: Names): SimJob {
  return {
    name: 'named',
    define: (_build, startingOffsets, code = faultless) =>
      defineJob(JOB, (job) => {
        job
          .source(source, kafkaSource({ topic: input, value: code.lines, startingOffsets }))
          .flatMap(words)
          .keyBy((word) => word, utf8)
          .process(operator, {
            state: { [state]: valueState(int64, 0) },
            onRecord(word, states, out: Output<string>) {
              out.emit(`${word}:::${states[state]?.update((n) => n + 1)}`);
            },
          })
          .sink(sink, kafkaSink({ topic: output, value: utf8 }));
      }),
  };
}

const runs: readonly [string, Partial<Names>][] = [
  ['a source with the uid constructor', { source: 'constructor' }],
  ['a keyed operator with the uid constructor', { operator: 'constructor' }],
  ['a sink with the uid constructor', { sink: 'constructor' }],
  ['a state with the name constructor', { state: 'constructor' }],
  ['a state with the name toString', { state: 'toString' }],
  ['the topics __proto__ and toString', { input: '__proto__', output: 'toString' }],
  ['the topics valueOf and __proto__', { input: 'valueOf', output: '__proto__' }],
  ['the topics constructor and hasOwnProperty', { input: 'constructor', output: 'hasOwnProperty' }],
];

describe.each(runs)('a job of %s', (_what, odd) => {
  const names = { ...ORDINARY, ...odd };
  const { source, operator, sink } = names;
  const job = wordCountOf(names);
  const change = {
    job,
    input: fourEpochs.map((batch) => ({ ...batch, topic: names.input })),
    parallelism: (coordinator: number) => Object.fromEntries([source, operator, sink].map((stage) => [stage, coordinator])),
  };

  it('counts everything once, through a crash after a decision and at another parallelism', async () => {
    const told = await story([{ at: at('decide', { nth: 3 }), fault: { fault: 'crash', when: 'after' } }], change);
    expect(ends(told)).toEqual(['stopped']);
    expect(told.epochs).toBeGreaterThan(3);
  });

  it('names the record that it fails at, and leaves it out', async () => {
    const told = await story([], {
      ...change,
      input: [
        ...change.input,
        { ...fourEpochs[0], topic: names.input, atMs: 100, partition: 1, lines: ['u0 #9'], how: 'plain', endsAfterMs: 0 },
      ],
      settings: { poisonAttempts: 2 },
      userCode: { chance: 0, leavesOut: () => true },
    });
    expect(told.observed.filter(({ event }) => event === 'dead-lettered')).toEqual([expect.objectContaining({ records: 1 })]);
  });
});
