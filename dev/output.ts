import { RecordSetReader } from '../lib/format/record-set-reader.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { FetchedPartition, SourceRequests } from '../lib/ports/kafka-requests.ts';
import { partitionsOf } from './topics.ts';

const FETCH_BYTES = 1024 * 1024;
const FETCH_WAIT_MS = 250;
const PAUSE_AFTER_FAILURE_MS = 500;

/** A reader of what is committed in some topics, as any consumer with `read_committed`. */
export interface Output {
  /** These topics too, from where they end now. */
  follow(topics: readonly string[]): Promise<void>;
  /** Until all has been shown that is committed now. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

export interface OutputOptions {
  readonly kafka: SourceRequests;
  readonly clock: Clock;
  /** A line for each record. */
  readonly show: (line: string) => void;
  /** In JSON. */
  readonly json: boolean;
}

interface Place {
  readonly topic: string;
  readonly partition: number;
  next: number;
}

/** Reads until it is closed, and passes over what a broker does not answer. */
export function followOutput({ kafka, clock, show, json }: OutputOptions): Output {
  const places: Place[] = [];
  const closing = new AbortController();
  const reader = new RecordSetReader();
  const reading = read();

  async function read(): Promise<void> {
    while (!closing.signal.aborted) {
      const ranges = places.map(({ topic, partition, next }) => ({ topic, partition, offset: next, maxBytes: FETCH_BYTES }));
      const isWell = ranges.length > 0 && (await fetchAll(ranges));
      if (!isWell) await clock.sleep(PAUSE_AFTER_FAILURE_MS, closing.signal);
    }
  }

  async function fetchAll(ranges: Parameters<SourceRequests['fetch']>[0]): Promise<boolean> {
    const fetched = await kafka.fetch(ranges, { maxBytes: FETCH_BYTES, maxWaitMs: FETCH_WAIT_MS, minBytes: 1 }).catch(() => []);
    for (const one of fetched) take(one);
    return fetched.length > 0 && fetched.every(({ answer }) => answer === 'NONE');
  }

  function take({ topic, partition, answer, aborted, records, logStartOffset }: FetchedPartition): void {
    const place = places.find((each) => each.topic === topic && each.partition === partition);
    if (place === undefined) return;
    if (answer === 'OFFSET_OUT_OF_RANGE') place.next = Math.max(logStartOffset, 0);
    if (answer !== 'NONE' || records.length === 0) return;
    const describe = () => `topic ${topic}, partition ${partition}`;
    reader.open(records, { from: place.next, to: Number.MAX_SAFE_INTEGER, aborted, describe });
    const isOneOfMany = new Set(places.map((each) => each.topic)).size > 1;
    while (reader.next()) show(json ? jsonOf(reader, topic) : lineOf(reader, isOneOfMany ? topic : undefined));
    place.next = reader.nextOffset;
  }

  return {
    async follow(topics) {
      for (const topic of new Set(topics)) {
        if (places.some((place) => place.topic === topic)) continue;
        const partitions = await partitionsOf(kafka, topic);
        const ends = await kafka.offsets(topic, partitions, 'latest');
        places.push(...partitions.map((partition) => ({ topic, partition, next: ends[partition] ?? 0 })));
      }
    },
    async caughtUp() {
      const ends = new Map<Place, number>();
      for (const [topic, of] of Map.groupBy(places, ({ topic: name }) => name)) {
        const latest = await kafka.offsets(
          topic,
          of.map(({ partition }) => partition),
          'latest',
        );
        for (const [index, place] of of.entries()) ends.set(place, latest[index] ?? 0);
      }
      while ([...ends].some(([place, end]) => place.next < end)) await clock.sleep(20);
    },
    async close() {
      closing.abort();
      await reading;
    },
  };
}

/** `value`, or `key<tab>value`; behind its topic, where there are several. */
function lineOf({ bytes, keyStart, keyEnd, valueStart, valueEnd }: RecordSetReader, topic: string | undefined): string {
  const value = valueStart < 0 ? '(no value)' : textOf(bytes.subarray(valueStart, valueEnd));
  const record = keyStart < 0 ? value : `${textOf(bytes.subarray(keyStart, keyEnd))}\t${value}`;
  return topic === undefined ? record : `${topic}: ${record}`;
}

/** Key and value as in `lineOf`, or null. */
function jsonOf({ bytes, keyStart, keyEnd, valueStart, valueEnd }: RecordSetReader, topic: string): string {
  const key = keyStart < 0 ? null : textOf(bytes.subarray(keyStart, keyEnd));
  const value = valueStart < 0 ? null : textOf(bytes.subarray(valueStart, valueEnd));
  return JSON.stringify({ topic, key, value });
}

const strict = new TextDecoder('utf-8', { fatal: true });

/** What is no text, in hexadecimal digits. */
function textOf(bytes: Buffer): string {
  try {
    return strict.decode(bytes);
  } catch {
    return `0x${bytes.toString('hex')}`;
  }
}
