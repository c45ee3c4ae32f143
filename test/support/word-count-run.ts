import { expect, onTestFinished } from 'vitest';
import type { JobEnd } from '../../local/functions/run-job.ts';
import { newJob, type TestJob } from './job.ts';
import type { JobRun } from './job-run.ts';
import { endsOf } from './kafka-wire.ts';
import { TopicReader } from './topic-reader.ts';
import { newProducer, newTopic, send } from './topics.ts';
import { openTransactions } from './transactions.ts';
import { waitFor } from './wait-for.ts';
import { countWords, EXACT, faultsOf, someLines, totalOf } from './word-counts.ts';

const FEED_PAUSE_MS = 25;
const FEED_LINES = 10;

export interface WordCountOptions {
  /** @default jobs/word-count.ts */
  readonly module?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly inputSettings?: Readonly<Record<string, string>>;
  readonly outputSettings?: Readonly<Record<string, string>>;
  readonly at?: string[];
}

/** A word count job on topics of its own, what was written to it, and a read_committed reader of what comes out. */
export interface WordCount {
  readonly input: string;
  readonly output: string;
  readonly job: TestJob;
  readonly reader: TopicReader;
  /** What a read_committed reader finds in the input topic. Not what was sent: kafkajs sends some things twice. */
  inputLines(): Promise<string[]>;
  write(lines: readonly string[]): Promise<void>;
  /** Writes a few lines every few milliseconds until told to stop. */
  feed(): Feed;
  /** Waits until a read_committed reader has seen a count for every word. */
  allCounted(run: Running): Promise<void>;
  /** Waits until every word has been counted, stops the job, and asserts that the output is exact and nothing is left open. */
  expectExact(run: Running): Promise<void>;
}

/** Whatever runs the job. */
export type Running = Pick<JobRun, 'ended' | 'told' | 'stop'>;

export interface Feed {
  stop(): Promise<void>;
}

export async function newWordCount({
  module = 'jobs/word-count.ts',
  env = {},
  inputSettings = {},
  outputSettings = {},
  at,
}: WordCountOptions = {}): Promise<WordCount> {
  const where = at === undefined ? {} : { at };
  const [input, output, producer] = await Promise.all([
    newTopic('lines', { settings: inputSettings, ...where }),
    newTopic('counts', { settings: outputSettings, ...where }),
    newProducer(undefined, at),
  ]);
  const elsewhere: Record<string, string> = at === undefined ? {} : { ONCEFLOW_BROKERS: at.join(',') };
  const job = await newJob(module, { 'read-lines': input, 'write-counts': output }, { ...elsewhere, ...env });
  const reader = new TopicReader(output, 'committed', at);
  const inputReader = new TopicReader(input, 'committed', at);
  const write = (lines: readonly string[]) => send(producer, input, lines);

  async function inputLines(): Promise<string[]> {
    await inputReader.readOn();
    return inputReader.values;
  }

  async function allCounted(run: Running): Promise<void> {
    const total = totalOf(countWords(await inputLines()));
    let ended: JobEnd | undefined;
    void run.ended.then((end) => {
      ended = end;
    });
    await reader
      .readUntil(({ records }) => records.length >= total || ended !== undefined)
      .catch((error: Error) => {
        throw new Error(`${error.message}: ${total} records; it has ${reader.records.length}\n${run.told()}`);
      });
    if (ended !== undefined) throw new Error(`the job ended early: ${ended.end}: ${ended.message}\n${run.told()}`);
  }

  return {
    input,
    output,
    job,
    reader,
    inputLines,
    write,
    feed: () => feed(write),
    allCounted,
    async expectExact(run) {
      await allCounted(run);
      await run.stop();
      await reader.readOn();
      expect(faultsOf(reader.records, await inputLines())).toEqual(EXACT);
      expect(await openTransactions(job.name, at)).toEqual([]);
      // The last markers may be on their way still; nothing but them may hold a reader up.
      await waitFor(
        'the last stable offsets',
        async () => String(await endsOf(output, 'committed', at)) === String(await endsOf(output, 'uncommitted', at)),
      );
    },
  };
}

function feed(write: (lines: readonly string[]) => Promise<void>): Feed {
  let stopped = false;
  const work = (async () => {
    for (let seed = 1; !stopped; seed++) {
      await write(someLines(FEED_LINES, seed));
      await new Promise((resolve) => setTimeout(resolve, FEED_PAUSE_MS));
    }
  })();
  // Who stops it hears of its failure.
  work.catch(() => {});
  const stop = () => {
    stopped = true;
    return work;
  };
  onTestFinished(stop);
  return { stop };
}
