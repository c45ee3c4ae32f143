import fc from 'fast-check';
import { expect, test } from 'vitest';
import wordCount from '../../../jobs/word-count.ts';
import { createOperatorRuntime, type OperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { compiled, partsTo, recordSet, stageContext, stagedRecords, throughBlob } from './runtimes.ts';

const SOURCE = 'read-lines';
const OPERATOR = 'count-words';
const SINK = 'write-counts';

/** One subtask's snapshots: a base, or what there is of deltas. */
type Snapshots = readonly (readonly Buffer[])[];

/** Runs word count over epochs of lines at a parallelism, from the snapshots of the run before, and keeps what it wrote. */
class Run {
  readonly #parallelism: number;
  readonly #sources: ReturnType<typeof createSourceRuntime>[];
  readonly #operators: OperatorRuntime[];
  readonly #snapshots: Buffer[][];
  readonly written = new Map<number, string[]>();

  constructor(parallelism: number, from: Snapshots = []) {
    this.#parallelism = parallelism;
    const context = stageContext({ parallelism });
    const subtasks = Array.from({ length: parallelism }, (_, subtask) => subtask);
    this.#sources = subtasks.map(() => createSourceRuntime(compiled(wordCount), SOURCE, context));
    this.#operators = subtasks.map((subtask) => createOperatorRuntime(compiled(wordCount), OPERATOR, context, subtask));
    for (const operator of this.#operators) for (const blobs of from) stateOf(operator).load(blobs);
    this.#snapshots = subtasks.map(() => []);
  }

  /** One epoch; line i goes to source subtask i mod parallelism. */
  epoch(lines: readonly string[], snapshot: 'base' | 'delta' = 'delta'): void {
    const outputs = this.#sources.map((source, subtask) => {
      source.begin();
      const mine = lines.filter((_, index) => index % this.#parallelism === subtask).map((value) => ({ value }));
      const records = recordSet(mine, 70);
      expect(source.consume('flink_kafka', subtask, records, { from: 70, to: 70 + mine.length, aborted: [] })).toEqual({
        next: 70 + mine.length,
        records: mine.length,
        isHeld: false,
      });
      return source.finish();
    });
    for (const [subtask, operator] of this.#operators.entries()) {
      operator.begin();
      for (const output of outputs) {
        const parts = partsTo(output, OPERATOR)[subtask];
        if (parts !== undefined) operator.consume(throughBlob(parts));
      }
      const output = operator.finish();
      for (const [partition, records] of stagedRecords(output, SINK)) {
        this.written.set(partition, [...(this.written.get(partition) ?? []), ...records.map(({ value }) => value ?? '')]);
      }
      if (snapshot === 'base') this.#snapshots[subtask] = [Buffer.concat(stateOf(operator).takeBase())];
      else this.#snapshots[subtask]?.push(Buffer.concat(stateOf(operator).takeDelta()));
    }
  }

  snapshots(): Snapshots {
    return this.#snapshots;
  }
}

function stateOf(operator: OperatorRuntime) {
  const state = operator.states.get(OPERATOR);
  if (state === undefined) throw new Error('no state');
  return state;
}

/** The counts that each word must have been written with: 1 to n, once each, ascending in one partition. */
function expectExact(lines: readonly string[], runs: readonly Run[]): void {
  const expected = new Map<string, number>();
  for (const word of lines.flatMap((line) => line.split(' '))) expected.set(word, (expected.get(word) ?? 0) + 1);
  const counts = new Map<string, number>();
  const partitions = new Map<string, number>();
  for (const run of runs) {
    for (const [partition, values] of run.written) {
      for (const value of values) {
        const [word = '', count] = value.split(':::');
        expect(partitions.get(word) ?? partition).toBe(partition);
        partitions.set(word, partition);
        expect(Number(count)).toBe((counts.get(word) ?? 0) + 1);
        counts.set(word, Number(count));
      }
    }
  }
  expect(counts).toEqual(expected);
}

const words = fc.array(fc.constantFrom('a', 'b', 'the', 'über', '語', 'a-word-that-is-longer-than-all-the-others', '', 'x1', 'x2', 'x3'), {
  minLength: 1,
  maxLength: 6,
});
/** The values are compared as latin1 of their bytes: so are the words. */
const line = words.map((list) => Buffer.from(list.join(' ')).toString('latin1'));
const epochs = fc.array(fc.array(line, { maxLength: 8 }), { minLength: 1, maxLength: 5 });
const parallelism = fc.integer({ min: 1, max: 4 });

const asText = (lines: readonly string[]) => lines.map((text) => Buffer.from(text, 'latin1').toString());

test('word count through both runtimes is the fold of its input, however it is cut into epochs and subtasks', () => {
  fc.assert(
    fc.property(epochs, parallelism, (cut, subtasks) => {
      const run = new Run(subtasks);
      for (const lines of cut) run.epoch(asText(lines));
      expectExact(cut.flat(), [run]);
    }),
  );
});

test('rescaling from one subtask to three to two keeps the state, from a base and from deltas', () => {
  fc.assert(
    fc.property(epochs, epochs, epochs, fc.constantFrom('base' as const, 'delta' as const), (first, second, third, kind) => {
      const one = new Run(1);
      for (const lines of first) one.epoch(asText(lines), kind);
      const three = new Run(3, one.snapshots());
      // A rescaled subtask's first snapshot is a base, as its deltas would stand on several others.
      for (const lines of second) three.epoch(asText(lines), 'base');
      const two = new Run(2, three.snapshots());
      for (const lines of third) two.epoch(asText(lines), 'base');
      expectExact([...first.flat(), ...second.flat(), ...third.flat()], [one, three, two]);
    }),
  );
});

test('every key reaches exactly the subtask that owns its key group', () => {
  const run = new Run(4);
  const lines = Array.from({ length: 200 }, (_, index) => `word-${index}`);
  run.epoch(lines);
  expectExact(lines, [run]);
});
