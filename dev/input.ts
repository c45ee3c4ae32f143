import { RecordBatchWriter } from '../lib/format/record-batch-writer.ts';
import { utf8 } from '../lib/format/serdes.ts';
import { batchesOf, stampPlainBatch } from '../lib/format/stamp-batches.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { SourceRequests, TransactionRequests } from '../lib/ports/kafka-requests.ts';
import { partitionsOf } from './topics.ts';

/** Of a topic without settings of its own. */
const MAX_BATCH_BYTES = 1_000_000;

/** The topic that a line is for, and its record's value. Undefined: it is for none. */
export type Route = (line: string) => { readonly topic: string; readonly value: string } | undefined;

export interface Input {
  readonly kafka: SourceRequests & TransactionRequests;
  readonly clock: Clock;
  readonly route: Route;
  /** Is told of what was not written. */
  readonly say: (line: string) => void;
}

/** Writes each line to its topic, one partition after the other, until the stream ends. Answers whether every line was acknowledged. */
export async function sendLines(input: Input, lines: AsyncIterable<readonly string[]>): Promise<boolean> {
  let isWhole = true;
  const turns = new Map<string, number>();
  const notWritten = (some: number, why: string) => {
    isWhole = false;
    input.say(`${some === 1 ? 'the line was' : `${some} lines were`} not written${why}`);
  };
  for await (const some of lines) {
    const routed = some.map(input.route);
    const [lost] = some.filter((_, index) => routed[index] === undefined);
    if (lost !== undefined)
      notWritten(
        routed.filter((each) => each === undefined).length,
        ` anywhere: the job has several sources, and a line begins with its own and a tab, unless --input names one for all: ${JSON.stringify(lost)}`,
      );
    for (const [topic, of] of Map.groupBy(
      routed.filter((each) => each !== undefined),
      (each) => each.topic,
    )) {
      const turn = turns.get(topic) ?? 0;
      turns.set(topic, turn + of.length);
      const values = of.map(({ value }) => value);
      const refused = await send(input, topic, values, turn).catch((error: Error) => error.message);
      if (refused !== undefined) notWritten(of.length, ` to topic ${topic}: ${refused}`);
    }
  }
  return isWhole;
}

/** Undefined: all were acknowledged. */
async function send({ kafka, clock }: Input, topic: string, lines: readonly string[], turn: number): Promise<string | undefined> {
  const partitions = await partitionsOf(kafka, topic);
  const writers = partitions.map(() => new RecordBatchWriter({ maxBatchBytes: MAX_BATCH_BYTES }));
  const nowMs = clock.now();
  for (const [index, line] of lines.entries()) writers[(turn + index) % writers.length]?.append(nowMs, undefined, undefined, line, utf8);
  const leaders = await kafka.leaders(topic);
  for (const partition of partitions) {
    const bytes = writers[partition]?.finish() ?? Buffer.alloc(0);
    for (const { start, end } of batchesOf(bytes)) {
      stampPlainBatch(bytes, start, end);
      const produced = await kafka.produce(undefined, leaders[partition] ?? -1, [{ topic, partition, batch: bytes.subarray(start, end) }]);
      if (produced.answer === 'NONE') continue;
      kafka.forgetLeaders(topic);
      return produced.answer;
    }
  }
  return undefined;
}

/** The lines of a stream, as many together as come together. @param skipEmpty a person who presses Enter means no record */
export async function* linesOf(stream: NodeJS.ReadableStream, skipEmpty: boolean): AsyncGenerator<readonly string[]> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    const whole = lines.map((line) => line.replace(/\r$/, '')).filter((line) => !skipEmpty || line !== '');
    if (whole.length > 0) yield whole;
  }
  if (rest !== '') yield [rest];
}
