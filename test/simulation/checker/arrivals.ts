import type { FetchedPartition, SourceRequests } from '../../../lib/ports/kafka-requests.ts';
import type { SourceRequest } from '../../../lib/protocol/requests.ts';
import type { InputRecord } from './interpreter/epoch.ts';

/** What one run of a source's request was brought: of which partition, up to which offset; one behind the other. */
type Arrival = { readonly topic: string; readonly partition: number; readonly end: number }[];

/** The runs of one request, and the answer that its coordinator has. */
interface Asked {
  readonly subtask: number;
  readonly runs: { readonly arrival: Arrival; readonly answer: unknown }[];
  taken: unknown;
}

type Which = Pick<SourceRequest, 'decisionId' | 'stage' | 'subtask'>;

const BATCH_HEADER_BYTES = 61;

/**
 * In which order records came to the subtasks of sources. Nobody decides how the partitions of one subtask mix, and a keyed
 * operator sees it; so it is looked at where it happens, in the broker's answers. A request may be run more than once: what
 * counts is the run whose answer its coordinator took.
 */
export class Arrivals {
  /** By attempt and source, then by subtask. */
  readonly #asked = new Map<string, Map<number, Asked>>();

  /** Kafka, for one run of a request. `answered` is told its answer. */
  watch<K extends Pick<SourceRequests, 'fetch'>>(
    kafka: K,
    request: Which,
  ): { readonly kafka: K; readonly answered: (answer: unknown) => void } {
    const arrival: Arrival = [];
    const take = ({ topic, partition, records }: FetchedPartition) => {
      const end = endOf(records);
      if (end !== undefined) arrival.push({ topic, partition, end });
    };
    const fetch: K['fetch'] = (ranges, limits) => {
      const fetched = kafka.fetch(ranges, limits);
      fetched.then(
        (answers) => answers.forEach(take),
        () => {},
      );
      return fetched;
    };
    return { kafka: { ...kafka, fetch }, answered: (answer) => void this.#of(request).runs.push({ arrival, answer }) };
  }

  /** A coordinator has the answer to a request. */
  taken(request: Which, answer: unknown): void {
    this.#of(request).taken = answer;
  }

  /** The records that an attempt has read of a source, as they came to its subtasks. Those that nobody brought are left over. */
  inOrder(decisionId: string, source: string, records: readonly InputRecord[]): { arrived: InputRecord[]; left: readonly InputRecord[] } {
    const subtasks = [...(this.#asked.get(`${decisionId} ${source}`)?.values() ?? [])].sort((one, other) => one.subtask - other.subtask);
    const arrived: InputRecord[] = [];
    let left = records;
    for (const { topic, partition, end } of subtasks.flatMap(arrivalOf)) {
      const isBrought = (record: InputRecord) => record.topic === topic && record.partition === partition && record.offset < end;
      arrived.push(...left.filter(isBrought));
      left = left.filter((record) => !isBrought(record));
    }
    return { arrived, left };
  }

  #of({ decisionId, stage, subtask }: Which): Asked {
    const ofAttempt = `${decisionId} ${stage}`;
    const subtasks = this.#asked.get(ofAttempt) ?? new Map<number, Asked>();
    this.#asked.set(ofAttempt, subtasks);
    const asked = subtasks.get(subtask) ?? { subtask, runs: [], taken: undefined };
    subtasks.set(subtask, asked);
    return asked;
  }
}

/** Of the run that gave the answer which was taken. */
function arrivalOf({ runs, taken }: Asked): Arrival {
  const answer = JSON.stringify(taken);
  return runs.find((run) => JSON.stringify(run.answer) === answer)?.arrival ?? [];
}

/** Behind the last record of the last whole batch: a broker cuts off what comes behind it. */
function endOf(records: Buffer): number | undefined {
  let end: number | undefined;
  for (let at = 0; at + BATCH_HEADER_BYTES <= records.length; ) {
    const next = at + 12 + records.readInt32BE(at + 8);
    if (next > records.length) break;
    end = Number(records.readBigInt64BE(at)) + records.readInt32BE(at + 23) + 1;
    at = next;
  }
  return end;
}
