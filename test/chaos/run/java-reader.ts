import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { kafkaToolCommand, runKafkaTool } from '../../../local/stack/java.ts';

export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  /** What the record has for its time: when it was sent, if its producer did not say otherwise. */
  readonly timestamp: number;
  readonly value: string;
}

/** The end of a topic is where nothing has come for this long. */
const SILENCE_MS = 12_000;
/** An onlooker whose run is gone ends after so long. */
const LEFT_ALONE_MS = 60_000;

/** Reads a topic from its beginning with Kafka's own console consumer, read_committed. Nothing of ours takes part. */
export async function readCommitted(bootstrap: string, topic: string): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  const said = await consume(bootstrap, topic, ['--timeout-ms', String(SILENCE_MS)], (record) => void records.push(record)).ended;
  const [, processed] = /Processed a total of (\d+) messages/.exec(said) ?? [];
  if (Number(processed) !== records.length)
    throw new Error(`the console consumer printed ${records.length} records of ${topic}, and said: ${said.slice(-2000)}`);
  return records;
}

/** A reader that is there the whole time, and when it saw what. */
export interface Onlooker {
  /** When it saw a record first, in milliseconds. Undefined: it has not. */
  sawAtMs(record: Pick<ReadRecord, 'partition' | 'offset'>): number | undefined;
  close(): Promise<void>;
}

/** Reads a topic while it is written, as `readCommitted` does. A console consumer that has ended is started again, and begins anew. */
export function lookOn(bootstrap: string, topic: string): Onlooker {
  const seen = new Map<string, number>();
  const placeOf = ({ partition, offset }: Pick<ReadRecord, 'partition' | 'offset'>) => `${partition} ${offset}`;
  let over = false;
  let current: Consumer | undefined;
  const kill = () => current?.kill();
  process.once('exit', kill);
  const working = (async () => {
    while (!over) {
      current = consume(bootstrap, topic, ['--timeout-ms', String(LEFT_ALONE_MS)], (record) => {
        if (!seen.has(placeOf(record))) seen.set(placeOf(record), Date.now());
      });
      await current.ended;
    }
  })();
  return {
    sawAtMs: (record) => seen.get(placeOf(record)),
    async close() {
      over = true;
      kill();
      process.off('exit', kill);
      return working;
    },
  };
}

interface Consumer {
  /** What it says besides records, when it has ended. */
  readonly ended: Promise<string>;
  kill(): void;
}

function consume(bootstrap: string, topic: string, how: readonly string[], take: (record: ReadRecord) => void): Consumer {
  const { command, args } = kafkaToolCommand('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'],
    ...['partition', 'offset', 'timestamp'].flatMap((what) => ['--formatter-property', `print.${what}=true`]),
    ...how,
  ]);
  const consumer = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(consumer, 'close');
  let said = '';
  consumer.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const read = async () => {
    for await (const line of createInterface(consumer.stdout)) {
      const [, timestamp, partition, offset, value = ''] = /^CreateTime:(\d+)\tPartition:(\d+)\tOffset:(\d+)\t(.*)$/.exec(line) ?? [];
      // A line that its death has cut off.
      if (partition === undefined && consumer.killed) continue;
      if (partition === undefined) throw new Error(`the console consumer printed "${line}"`);
      take({ partition: Number(partition), offset: Number(offset), timestamp: Number(timestamp), value });
    }
    await closed;
    return said;
  };
  return { ended: read(), kill: () => void consumer.kill('SIGKILL') };
}

const OVER = ['Empty', 'CompleteCommit', 'CompleteAbort'];

/** Transactional ids whose transaction is not over, with their state, as `kafka-transactions list` has them. */
export async function unfinishedTransactions(bootstrap: string): Promise<string[]> {
  const { stdout, stderr, exitCode } = await runKafkaTool('org.apache.kafka.tools.TransactionsCommand', [
    '--bootstrap-server',
    bootstrap,
    'list',
  ]);
  if (exitCode !== 0) throw new Error(`kafka-transactions list ended with ${exitCode}: ${stderr}`);
  const rows = stdout.trim().split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .flatMap(([id = '', , , state = '']) => (OVER.includes(state) ? [] : [`${id} ${state}`]));
}
