import type { BlobStore } from '../ports/blob-store.ts';
import type { KafkaRequests } from '../ports/kafka-requests.ts';
import type { SinkTargets } from '../ports/sink-targets.ts';

/** Something was to be written. It is a defect: nothing of a replay reaches a store, a broker or a target. */
export class WroteError extends Error {
  override readonly name = 'WroteError';
  constructor(what: string) {
    super(`${what}: a replay writes nothing`);
  }
}

/** Blobs that are read from a store, and written to memory alone. */
export interface BlobOverlay extends BlobStore {
  /** Forgets what was written, but for these names. */
  keepOnly(names: ReadonlySet<string>): void;
}

/** @param below asked for what was not written here, and for nothing else */
export function overlayOf(below: Pick<BlobStore, 'get'>): BlobOverlay {
  const written = new Map<string, Buffer>();
  return {
    async put(name, ...parts) {
      written.set(name, Buffer.concat(parts));
    },
    async get(name, range) {
      const bytes = written.get(name);
      if (bytes === undefined) return below.get(name, range);
      // A copy: who reads may change it in place.
      return Buffer.from(range === undefined ? bytes : bytes.subarray(range.start, range.end));
    },
    delete: (names) => Promise.reject(new WroteError(`the blobs ${names.join(', ')} were to be deleted`)),
    list: (prefix) => {
      throw new WroteError(`the blobs ${prefix}… were to be listed, which is for deleting them`);
    },
    keepOnly(names) {
      for (const name of written.keys()) if (!names.has(name)) written.delete(name);
    },
  };
}

/** What a replay asks of Kafka. */
const READING = [
  'fetch',
  'partitionCount',
  'topicId',
  'offsets',
  'leaders',
  'forgetLeaders',
  'brokerConfig',
  'topicConfig',
] as const satisfies readonly (keyof KafkaRequests)[];

/** Kafka, of which topics and their logs are read. Every other request throws, also one that a later version adds. */
export function readOnlyKafka(kafka: Pick<KafkaRequests, (typeof READING)[number]>): KafkaRequests {
  const reading = Object.fromEntries(READING.map((name) => [name, (kafka[name] as (...given: unknown[]) => unknown).bind(kafka)]));
  return new Proxy(reading as unknown as KafkaRequests, {
    get(requests, name) {
      // Of a promise, which this is none of.
      if (name === 'then') return undefined;
      if (Object.hasOwn(requests, name)) return requests[name as keyof KafkaRequests];
      return () => {
        throw new WroteError(`Kafka was asked for ${String(name)}`);
      };
    },
  });
}

/** Where sinks write: asked for the keys of tables, by which rows are encoded, and whether a location can be used. */
export function readOnlyTargets(targets: SinkTargets): SinkTargets {
  const refuse = (what: string) => () => Promise.reject(new WroteError(what));
  return {
    // Looking for open uploads is a right that a replay does without.
    uploads: async () => ({
      begin: refuse('an upload was to begin'),
      part: refuse('a part was to be uploaded'),
      complete: refuse('an upload was to be completed'),
      abort: refuse('an upload was to be ended'),
      isOpen: refuse('an upload was looked for'),
      sizeOf: refuse('a file was looked for'),
      open: async () => [],
    }),
    async items() {
      const items = await targets.items();
      return {
        keysOf: (table) => items.keysOf(table),
        stateOf: refuse('a ledger was to be read'),
        write: refuse('items were to be written'),
      };
    },
  };
}
