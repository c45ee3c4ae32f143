import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { examples } from '../../../examples/examples.ts';
import type { JobDefinition, SourceNode } from '../../../lib/graph/job.ts';
import { type TestJob, testJob } from '../../../lib/testing/index.ts';
import { mulberry32 } from '../testing/troubled.ts';

interface Line {
  readonly to: string;
  readonly value: unknown;
}

const isSource = (node: JobDefinition['nodes'][number]): node is SourceNode => node.kind === 'source';

/** Of several sources a line names its own, before a tab. */
function linesFor(job: JobDefinition, name: string): readonly Line[] {
  const sources = job.nodes.filter(isSource);
  const text = readFileSync(`examples/input/${name}.txt`, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [to, value] = sources.length === 1 ? [sources[0]?.uid ?? '', line] : (line.split('\t') as [string, string]);
      const source = sources.find(({ uid }) => uid === to);
      if (source === undefined) throw new Error(`${name}: "${line}" is for no source`);
      const bytes = Buffer.from(value);
      return { to, value: source.value.read(bytes, 0, bytes.length) };
    });
}

/** Behind all times of the inputs. */
const START_MS = Date.parse('2025-04-01');

/** Feeds an example its input, some lines an epoch, until all times have come that it waits for. @param cut 0: all lines in one */
async function ran(name: string, cut: number, parallelism: number): Promise<TestJob> {
  const { default: job } = (await import(`../../../examples/${name}.ts`)) as { default: JobDefinition };
  const running = testJob(job, { parallelism, startMs: START_MS });
  const random = mulberry32(cut);
  const lines = [...linesFor(job, name)];
  while (lines.length > 0) {
    for (const { to, value } of lines.splice(0, cut === 0 ? lines.length : 1 + Math.floor(random() * 4))) running.push(to, value);
    await running.runEpoch();
    if (random() < 0.2) running.restore({ parallelism: 1 + Math.floor(random() * 3) });
  }
  await running.runUntilIdle();
  await running.advanceProcessingTime({ byMs: 60_000 });
  return running;
}

/** What its first sink has written: as texts, in any order. */
function writtenBy(job: TestJob, sink: string): readonly string[] {
  return [...job.values(sink)].map(String).toSorted();
}

/** Results that come again take the place of those before: what stands before the colon says of what they are. */
function latest(job: TestJob, sink: string): readonly string[] {
  const texts = [...job.values(sink)].map(String);
  return [...new Map(texts.map((text) => [text.slice(0, text.lastIndexOf(': ')), text])).values()].toSorted();
}

interface Expected {
  readonly sink: string;
  readonly results: readonly string[];
  readonly read?: typeof writtenBy;
}

const expected: Readonly<Record<string, Expected>> = {
  'word-count': {
    sink: 'write-counts',
    results: [
      'brown: 1',
      'dog: 1',
      'dog: 2',
      'fox: 1',
      'jumps: 1',
      'lazy: 1',
      'over: 1',
      'quick: 1',
      'sleeps: 1',
      'the: 1',
      'the: 2',
      'the: 3',
    ],
  },
  revenue: {
    sink: 'write-revenue',
    results: [
      'north 12:00: 1950 cents',
      'north 12:01: 100 cents',
      'north 12:02: 2000 cents',
      'south 12:00: 450 cents',
      'south 12:01: 450 cents',
    ],
    read: latest,
  },
  fraud: {
    sink: 'write-alerts',
    results: [
      'card 0815 paid 501 in NO, where the limit is 500',
      'card 4711 paid 230 in PT, where the limit is 200',
      'card 4711 paid 800 in NO, where the limit is 500',
    ],
  },
  sessions: {
    sink: 'write-visits',
    results: ['ada at 09:00: / /docs /docs/windows', 'ada at 11:00: /', 'bob at 09:02: /prices', 'bob at 09:38: /contact'],
  },
  'orders-payments': {
    sink: 'write-orders',
    results: ['order a of 40: paid 40', 'order b of 15: not paid', 'order c of 99: paid 49', 'order c of 99: paid 50'],
  },
  'exchange-rate': {
    sink: 'write-orders',
    results: [
      'order a: 100 USD are 90.00 EUR',
      'order b: 100 USD are 90.00 EUR',
      'order c: 1000 NOK are 85.00 EUR',
      'order d: 100 USD are 95.00 EUR',
    ],
  },
  changes: {
    sink: 'write-changes',
    results: ['0/16B3748 users 7 ada', '0/16B3790 users 8 bob', '0/16B3801 orders 1 of 7', '0/16B3855 users 8 robert'],
  },
  'top-words': {
    sink: 'write-top',
    results: [
      '20:00:10: be 2, to 2, not 1, or 1',
      '20:00:20: be 2, to 2, is 1, not 1, or 1, question 1, that 1, the 1',
      '20:00:30: be 2, is 2, the 2, to 2, in 1, it 1, mind 1, nobler 1, not 1, or 1',
      '20:00:40: be 2, is 2, the 2, to 2, in 1, it 1, mind 1, nobler 1, not 1, or 1',
      '20:00:50: the 3, to 3, be 2, is 2, and 1, arrows 1, in 1, it 1, mind 1, nobler 1',
      '20:01:00: the 3, to 3, be 2, is 2, and 1, arrows 1, in 1, it 1, mind 1, nobler 1',
      '20:01:10: the 3, is 2, to 2, and 1, arms 1, arrows 1, in 1, it 1, mind 1, nobler 1',
      '20:01:20: the 2, to 2, and 1, arms 1, arrows 1, in 1, is 1, it 1, mind 1, nobler 1',
      '20:01:30: to 2, and 1, arms 1, arrows 1, or 1, slings 1, suffer 1, take 1, the 1',
      '20:01:40: to 4, and 1, arms 1, arrows 1, die 1, or 1, sleep 1, slings 1, suffer 1, take 1',
      '20:01:50: to 3, arms 1, die 1, or 1, sleep 1, take 1',
      '20:02:00: to 3, arms 1, die 1, or 1, sleep 1, take 1',
      '20:02:10: to 2, die 1, sleep 1',
      '20:02:20: to 2, die 1, sleep 1',
      '20:02:30: to 2, die 1, sleep 1',
    ],
  },
  silence: {
    sink: 'write-alerts',
    results: ['cellar is silent, and was 11.5 °C at last', 'roof is silent, and was 31 °C at last'],
  },
};

describe.each(examples)('the example $name', ({ name }) => {
  const { sink, results, read = writtenBy } = expected[name] as Expected;

  test('writes what its page says, under ten cuts of epochs and at two parallelisms', async () => {
    for (const parallelism of [1, 3])
      for (let cut = 0; cut < 10; cut++)
        expect(read(await ran(name, cut, parallelism), sink), `cut ${cut}, ${parallelism} subtasks`).toEqual(results);
  });
});

test.each(examples)('the page of $name has its code, its input and what it writes', ({ name }) => {
  const page = readFileSync(`docs/examples/${name}.md`, 'utf8');
  const code = readFileSync(`examples/${name}.ts`, 'utf8').replace("'../lib/api/index.ts'", "'onceflow'");
  expect(page).toContain(`npm run example -- ${name}`);
  expect(page).toContain(code);
  expect(page).toContain(readFileSync(`examples/input/${name}.txt`, 'utf8').trimEnd());
  for (const result of expected[name]?.results ?? []) expect(page).toContain(`\n${result}\n`);
});

test('every example is a file with an input, on the page, and known by its name', () => {
  const page = readFileSync('docs/examples/README.md', 'utf8');
  const names = examples.map(({ name }) => name).toSorted();
  const files = readdirSync('examples').flatMap((file) => /^(?<name>.*)\.ts$/.exec(file)?.groups?.['name'] ?? []);
  expect(files.filter((name) => name !== 'run' && name !== 'examples').toSorted()).toEqual(names);
  expect(
    readdirSync('examples/input')
      .map((file) => file.replace('.txt', ''))
      .toSorted(),
  ).toEqual(names);
  expect(Object.keys(expected).toSorted()).toEqual(names);
  expect(names.filter((name) => !page.includes(`| \`npm run example -- ${name}\` |`) || !page.includes(`](${name}.md) |`))).toEqual([]);
});
