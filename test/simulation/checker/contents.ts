import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { BlobRef } from '../../../lib/protocol/references.ts';
import { DEAD_LETTER_TOPIC, DEAD_LETTERS } from '../jobs.ts';
import type { BlobBucket } from '../models/blob-bucket.ts';
import { decodeBatch, splitBatches } from '../models/wire.ts';
import { openEnvelope, readCounts, readStaged } from './blobs.ts';

export interface DeadLetter {
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What manifests name, read from the blobs. */
export class Contents {
  readonly #bucket: BlobBucket;
  readonly #fail: (invariant: 'I2' | 'I3', message: string) => void;

  constructor(bucket: BlobBucket, fail: (invariant: 'I2' | 'I3', message: string) => void) {
    this.#bucket = bucket;
    this.#fail = fail;
  }

  /** What an epoch leaves out, by topic, partition and offset. */
  leftOut(manifest: Manifest): Map<string, DeadLetter> {
    const letters = new Map<string, DeadLetter>();
    for (const ref of (manifest.outputs[DEAD_LETTERS] ?? []).flat()) {
      for (const { topic, batches } of readStaged(openEnvelope('output', this.bytes(ref)))) {
        if (topic !== DEAD_LETTER_TOPIC) this.#fail('I2', `a dead letter of epoch ${manifest.epoch} goes to ${topic}`);
        for (const batch of splitBatches(batches)) {
          const { values, headers } = decodeBatch(batch, false);
          values.forEach((value, index) => {
            const own = headers[index] ?? {};
            const place = `${own['onceflow.topic']} ${own['onceflow.partition']} ${own['onceflow.offset']}`;
            if (letters.has(place)) this.#fail('I2', `epoch ${manifest.epoch} leaves out the record at ${place} twice`);
            letters.set(place, { value, headers: own });
          });
        }
      }
    }
    return letters;
  }

  stagedOf(manifest: Manifest): Map<string, Map<string, string[]>> {
    const staged = new Map<string, Map<string, string[]>>();
    for (const [sink, subtasks] of Object.entries(manifest.outputs)) {
      subtasks.forEach((refs, subtask) => {
        const places = new Map<string, string[]>();
        for (const ref of refs) {
          for (const { topic, partition, batches } of readStaged(openEnvelope('output', this.bytes(ref)))) {
            const place = `${topic} ${partition}`;
            // Its checksum is written when it is sent.
            const values = splitBatches(batches).flatMap((batch) => decodeUnsealed(batch));
            places.set(place, [...(places.get(place) ?? []), ...values]);
          }
        }
        staged.set(`${sink} ${subtask}`, places);
        const prepared = manifest.committables.some((committable) => committable.sink === sink && committable.subtask === subtask);
        if (prepared && manifest.delivery === 'at-least-once')
          this.#fail('I2', `epoch ${manifest.epoch} was decided at least once, with a transaction of ${sink} ${subtask}`);
        else if (prepared !== refs.length > 0 && manifest.delivery !== 'at-least-once')
          this.#fail('I2', `epoch ${manifest.epoch} was decided ${prepared ? 'with' : 'without'} a committable of ${sink} ${subtask}`);
      });
    }
    return staged;
  }

  stateOf(manifest: Manifest, uid: string): Map<string, number> {
    const state = new Map<string, number>();
    for (const { base, deltas } of own(manifest.state, uid) ?? []) {
      const own = new Map<string, number>();
      for (const ref of base === undefined ? deltas : [base, ...deltas]) {
        for (const [key, n] of readCounts(openEnvelope('state', this.bytes(ref)))) {
          if (n === undefined) own.delete(key);
          else own.set(key, n);
        }
      }
      for (const [key, n] of own) {
        if (state.has(key)) this.#fail('I3', `epoch ${manifest.epoch}: two subtasks of ${uid} hold the key ${key}`);
        state.set(key, n);
      }
    }
    return state;
  }

  bytes(ref: BlobRef): Buffer {
    return ref.at === 'inline' ? Buffer.from(ref.base64, 'base64') : this.blob(ref.name);
  }

  blob(name: string): Buffer {
    const found = this.#bucket.blobs.get(name);
    if (found === undefined) throw new Error(`the store does not hold ${name}`);
    return found.bytes;
  }
}

function decodeUnsealed(batch: Buffer): readonly string[] {
  return decodeBatch(batch, false).values;
}

export function blobsOf(manifest: Manifest, withOutputs: boolean): BlobRef[] {
  const state = Object.values(manifest.state).flatMap((subtasks) =>
    subtasks.flatMap(({ base, deltas }) => (base === undefined ? deltas : [base, ...deltas])),
  );
  return withOutputs ? [...state, ...Object.values(manifest.outputs).flat(2)] : state;
}

/** What is under a name that a job's author chose, and not what every object has under it. */
export function own<T>(map: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined;
}
