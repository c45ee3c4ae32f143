import { RecordBatchWriter } from '../lib/format/record-batch-writer.ts';
import { utf8 } from '../lib/format/serdes.ts';
import { batchesOf, stampPlainBatch } from '../lib/format/stamp-batches.ts';
import type { Clock } from '../lib/ports/clock.ts';
import type { SourceRequests, TransactionRequests } from '../lib/ports/kafka-requests.ts';
import { partitionsOf } from './topics.ts';

/** Of a topic without settings of its own. */
const MAX_BATCH_BYTES = 1_000_000;

export interface Input {
  readonly kafka: SourceRequests & TransactionRequests;
  readonly clock: Clock;
  readonly topic: string;
  /** Is told of what was not written. */
  readonly say: (line: string) => void;
}

/** Writes each line to the topic, one partition after the other, until the stream ends. Answers whether every line was acknowledged. */
export async function sendLines(input: Input, lines: AsyncIterable<readonly string[]>): Promise<boolean> {
  let isWhole = true;
  let turn = 0;
  for await (const some of lines) {
    const refused = await send(input, some, turn).catch((error: Error) => error.message);
    turn += some.length;
    if (refused === undefined) continue;
    isWhole = false;
    input.say(`${some.length === 1 ? 'the line was' : `${some.length} lines were`} not written to topic ${input.topic}: ${refused}`);
  }
  return isWhole;
}

/** Undefined: all were acknowledged. */
async function send({ kafka, clock, topic }: Input, lines: readonly string[], turn: number): Promise<string | undefined> {
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
