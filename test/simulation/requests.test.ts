import { describe, expect, it } from 'vitest';
import type { Call } from './kernel/faults.ts';
import { parallelismOf } from './parallelism.ts';
import { jobNamed, plain, story } from './scenarios/story.ts';
import type { InputBatch, WorldOptions } from './world-options.ts';

/*
 * What an epoch costs, in requests instead of time: a change that needs one more for each epoch is seen here, on any
 * machine and under any load. A bound that has to be raised is raised in the commit that says what the request is for.
 */

/** Without the start and the end of the job. */
const FROM_MS = 3_000;
const UNTIL_MS = 13_000;

const READS =
  /^(kafka (offsets|fetch|look|search|offsetFetch|describeProducers)|table (readJob|listEpochs|readEpoch|listSavepoints)|bucket (get|list))$/;

/** By service and method, of all processes. */
type Counts = ReadonlyMap<string, number>;

/** The requests made in the counted time, and how many epochs were decided in it, by the number of decisions. */
async function requestsFor(input: readonly InputBatch[], change: Partial<WorldOptions> = {}): Promise<{ counts: Counts; epochs: number }> {
  const counts = new Map<string, number>();
  const count = ({ service, api, atMs }: Call) => {
    if (atMs >= FROM_MS && atMs < UNTIL_MS) counts.set(`${service} ${api}`, (counts.get(`${service} ${api}`) ?? 0) + 1);
    return undefined;
  };
  await story([], { input, inlineBlobBytes: 16_384, faultsUntilMs: UNTIL_MS, faults: count, ...change });
  return { counts, epochs: counts.get('table decide') ?? 0 };
}

function sumOf(counts: Counts, which: (name: string) => boolean): number {
  return [...counts].reduce((sum, [name, count]) => sum + (which(name) ? count : 0), 0);
}

const writesOf = (counts: Counts, service: string) => sumOf(counts, (name) => name.startsWith(`${service} `) && !READS.test(name));
const listed = (counts: Counts) => [...counts].map(([name, count]) => `${name}: ${count}`).join('\n');

/** A line each second, more than an interval apart: an epoch for each. */
const oneByOne = Array.from({ length: 16 }, (_, index) => plain(index * 1_000, index % 2, `ant bee #${index}`));
/** Lines come all the time: epochs follow each other. */
const steadily = Array.from({ length: 160 }, (_, index) => plain(index * 100, index % 2, `ant bee #${index}`));

describe('an epoch', () => {
  it('of one record calls each stage once, and makes one transaction of four requests, checks it and looks at what became of it', async () => {
    const { counts, epochs } = await requestsFor(oneByOne);
    expect(epochs).toBe(10);
    expect(sumOf(counts, (name) => name.startsWith('functions ')) / epochs, listed(counts)).toBe(4);
    // InitProducerId, AddPartitions, Produce, EndTxn; and the group's offsets for lag tools.
    expect(writesOf(counts, 'kafka') / epochs, listed(counts)).toBe(5);
    // Between the last acknowledgement and the decision.
    expect((counts.get('kafka describeProducers') ?? 0) / epochs, listed(counts)).toBeLessThanOrEqual(1.5);
    // After EndTxn, again while its end is being written.
    expect((counts.get('kafka look') ?? 0) / epochs, listed(counts)).toBeLessThanOrEqual(3);
    expect(counts.get('kafka offsetFetch'), listed(counts)).toBeUndefined();
    expect((counts.get('kafka fetch') ?? 0) / epochs, listed(counts)).toBe(1);
  });

  it('with small blobs stores none', async () => {
    const { counts } = await requestsFor(oneByOne);
    expect(writesOf(counts, 'bucket'), listed(counts)).toBe(0);
  });

  it('stores an exchange, a snapshot and staged output, and reads two of them once', async () => {
    const { counts, epochs } = await requestsFor(oneByOne, { inlineBlobBytes: 0 });
    expect((counts.get('bucket put') ?? 0) / epochs, listed(counts)).toBe(3);
    expect((counts.get('bucket get') ?? 0) / epochs, listed(counts)).toBe(2);
    expect((counts.get('bucket delete') ?? 0) / epochs, listed(counts)).toBeLessThanOrEqual(1);
  });

  it('is decided and recorded with two writes when the job is idle behind it, and expires with a third', async () => {
    const { counts, epochs } = await requestsFor(oneByOne);
    expect(writesOf(counts, 'table') / epochs, listed(counts)).toBeLessThanOrEqual(3.25);
  });

  it('is decided and recorded with one write when the next one follows, and expires with a second', async () => {
    const { counts, epochs } = await requestsFor(steadily);
    expect(epochs).toBeGreaterThanOrEqual(10);
    expect(writesOf(counts, 'table') / epochs, listed(counts)).toBeLessThanOrEqual(2.25);
  });

  it('needs, for each subtask more, its calls and its transaction, and nothing else', async () => {
    const two = () => parallelismOf(jobNamed('word-count'), { source: 1, operator: 2, sink: 2 });
    const [one, more] = [await requestsFor(oneByOne), await requestsFor(oneByOne, { parallelism: two })];
    expect(more.epochs).toBe(one.epochs);
    const added = (name: string) => ((more.counts.get(name) ?? 0) - (one.counts.get(name) ?? 0)) / one.epochs;
    expect(added('functions invoke process')).toBe(1);
    expect(added('functions invoke prepare')).toBe(1);
    expect(added('functions invoke commit')).toBe(0);
    expect(added('kafka initProducerId')).toBe(1);
    expect(writesOf(more.counts, 'table')).toBe(writesOf(one.counts, 'table'));
  });
});

describe('an idle job', () => {
  it('writes nothing but its lease', async () => {
    const before = plain(0, 0, 'ant #0');
    const after = plain(UNTIL_MS + 2_000, 0, 'bee #1');
    const { counts } = await requestsFor([before, after]);
    expect(counts.get('table renewLease'), 'the clock of the test runs').toBeGreaterThanOrEqual(3);
    expect(
      [...counts.keys()].filter((name) => !READS.test(name)),
      listed(counts),
    ).toEqual(['table renewLease']);
  });
});
