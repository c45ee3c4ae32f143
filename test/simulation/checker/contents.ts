import { ByteWriter } from '../../../lib/format/byte-writer.ts';
import type { Manifest } from '../../../lib/protocol/manifest.ts';
import type { BlobRef } from '../../../lib/protocol/references.ts';
import type { StateDeclaration } from '../../../lib/state/columns/columns.ts';
import { decodeBatch, splitBatches, type WireRecord } from '../models/wire.ts';
import { DEAD_LETTERS, type ElsewhereKind, shapeOf } from '../sim-job.ts';
import {
  asItIs,
  type Kept,
  openEnvelope,
  type Renewal,
  readFileRows,
  readRowBatches,
  readStaged,
  readState,
  type StoredSnapshot,
  withPart,
} from './blobs.ts';
import { keyGroupOf } from './key-groups.ts';
import type { Staged, StagedElsewhere } from './life.ts';
import type { Scene } from './scene.ts';
import { shown, textOf } from './texts.ts';

/** By kind of sink that writes elsewhere than to topics. A new one is a line here: without it this does not compile. */
const readElsewhere: { readonly [K in ElsewhereKind]: (payloads: readonly Buffer[]) => StagedElsewhere } = {
  files: (payloads) => ({ rows: payloads.flatMap(readFileRows) }),
  deliver: (payloads) => ({ batches: payloads.flatMap(readRowBatches) }),
  dynamodb: () => {
    throw new Error('the simulation has no tables of items: no job of it has such a sink');
  },
};

/** What manifests name, read from the blobs. */
export class Contents {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** The dead letters of an epoch, and where they are to go. */
  lettersOf(manifest: Manifest): { readonly topic: string; readonly letter: WireRecord }[] {
    return (manifest.outputs[DEAD_LETTERS] ?? [])
      .flat()
      .flatMap((ref) => readStaged(openEnvelope('output', this.bytes(ref))))
      .flatMap(({ topic, batches }) => recordsOf(batches).map((letter) => ({ topic, letter })));
  }

  /** A sink subtask has one committable where it has output, and none where it has not; all that go to topics are of one connector. */
  stagedOf(manifest: Manifest): Staged {
    const { epoch, committables } = manifest;
    const { others } = shapeOf(this.#scene.job);
    const connectors = new Set(committables.filter(({ sink }) => !others.has(sink)).map(({ connector }) => connector));
    if (connectors.size > 1) this.#scene.fail('I2', `epoch ${epoch} was decided by several connectors: ${[...connectors].join(', ')}`);
    const staged = new Map<string, Map<string, string[]>>();
    for (const [sink, subtasks] of Object.entries(manifest.outputs)) {
      subtasks.forEach((refs, subtask) => {
        const places = new Map<string, string[]>();
        for (const { topic, partition, batches } of others.has(sink) ? [] : this.#sectionsOf(refs)) {
          const place = `${topic} ${partition}`;
          places.set(place, [...(places.get(place) ?? []), ...recordsOf(batches).map(textOf)]);
        }
        staged.set(`${sink} ${subtask}`, places);
        const own = committables.filter((committable) => committable.sink === sink && committable.subtask === subtask);
        if (own.length !== (refs.length > 0 ? 1 : 0))
          this.#scene.fail(
            'I2',
            `epoch ${epoch} was decided with ${own.length} committables of ${sink} ${subtask}, which has ${refs.length} blobs`,
          );
      });
    }
    return staged;
  }

  #sectionsOf(refs: readonly BlobRef[]) {
    return refs.flatMap((ref) => readStaged(openEnvelope('output', this.bytes(ref))));
  }

  /** What is staged for other places than topics. */
  elsewhereIn(manifest: Manifest): ReadonlyMap<string, StagedElsewhere> {
    const staged = new Map<string, StagedElsewhere>();
    for (const [sink, kind] of shapeOf(this.#scene.job).others)
      (own(manifest.outputs, sink) ?? []).forEach((refs, subtask) => {
        const payloads = refs.map((ref) => openEnvelope('output', this.bytes(ref)));
        if (payloads.length > 0) staged.set(`${sink} ${subtask}`, readElsewhere[kind](payloads));
      });
    return staged;
  }

  /** By key (its bytes as latin1), then by state: what the serdes wrote. Every key is with the subtask that owns it. */
  stateOf(manifest: Manifest, uid: string, declared: readonly StateDeclaration[]): Map<string, Map<string, Kept>> {
    const state = new Map<string, Map<string, Kept>>();
    for (const { base, deltas, keyGroups } of own(manifest.state, uid) ?? []) {
      const ofSubtask = new Map<string, Map<string, Kept>>();
      for (const ref of base === undefined ? deltas : [base, ...deltas]) {
        const stored = readState(openEnvelope('state', this.bytes(ref)));
        const known = this.#knownOf(stored, uid, declared);
        for (const { keyGroup, key, parts } of stored.entries) {
          const name = key.toString('latin1');
          const before = ofSubtask.get(name);
          const ofKey = new Map<string, Kept>();
          known.forEach((of, at) => {
            const part = parts[at];
            if (part === undefined || of === undefined) return;
            const { declared, renewal } = of;
            ofKey.set(declared.name, withPart(declared, before?.get(declared.name), part, renewal));
          });
          if (ofKey.size === 0) ofSubtask.delete(name);
          else ofSubtask.set(name, ofKey);
          if (keyGroup !== keyGroupOf(key, this.#scene.maxParallelism) || keyGroup < keyGroups.first || keyGroup > keyGroups.last)
            this.#scene.fail('I3', `${uid} has the key ${shown(key)} in key group ${keyGroup} of ${keyGroups.first} to ${keyGroups.last}`);
        }
      }
      for (const [name, values] of ofSubtask) {
        if (state.has(name)) this.#scene.fail('I3', `epoch ${manifest.epoch}: two subtasks of ${uid} hold the key ${name}`);
        state.set(name, values);
      }
    }
    return state;
  }

  /** Of each state that is stored the job's, which is of its kind and has its serdes, or reads them. */
  #knownOf({ states }: StoredSnapshot, uid: string, declared: readonly StateDeclaration[]): (Known | undefined)[] {
    return states.map(({ name, kind, serdes }) => {
      const known = declared.find((state) => state.name === name || state.formerly?.includes(name));
      const renewal = known && renewalOf(known, serdes);
      if (known !== undefined && kind === known.kind && renewal !== undefined) return { declared: known, renewal };
      const [was, is] = [`${kind} of ${serdes}`, `${known?.kind} of ${serdesOf(known)}`];
      this.#scene.fail('I3', `state ${name} of ${uid} was stored as ${was}, and the job has ${is}`);
      return undefined;
    });
  }

  bytes(ref: BlobRef): Buffer {
    return ref.at === 'inline' ? Buffer.from(ref.base64, 'base64') : this.blob(ref.name);
  }

  blob(name: string): Buffer {
    const found = this.#scene.bucket.blobs.get(name);
    if (found === undefined) throw new Error(`the store does not hold ${name}`);
    return found.bytes;
  }
}

interface Known {
  readonly declared: StateDeclaration;
  readonly renewal: Renewal;
}

/** Names; of what expires it is another one. */
function serdesOf(state: StateDeclaration | undefined): string {
  const names = state?.serdes.map((serde) => serde.name) ?? [];
  const last = names.pop();
  if (last !== undefined) names.push(state?.ttl === undefined ? last : `expiring(${last})`);
  return names.join();
}

/** In front of what expires is when it was written. */
const STAMP_BYTES = 8;

/** How what these serdes have written is written now. Undefined: the state does not read it. */
function renewalOf(state: StateDeclaration, written: readonly string[]): Renewal | undefined {
  if (serdesOf(state) === written.join()) return asItIs;
  if (written.length !== state.serdes.length) return undefined;
  const ofEach = state.serdes.map((serde, at) => {
    const expires = state.ttl !== undefined && at === written.length - 1;
    const named = (name: string) => (expires ? `expiring(${name})` : name);
    if (named(serde.name) === written[at]) return asItIs.value;
    const form = serde.older?.find(({ name }) => named(name) === written[at]);
    if (form === undefined) return undefined;
    return (encoded: Buffer) => {
      const stamp = expires ? STAMP_BYTES : 0;
      const out = new ByteWriter();
      serde.write(form.read(encoded, stamp, encoded.length), out);
      return Buffer.concat([encoded.subarray(0, stamp), out.view()]);
    };
  });
  const [first, last] = [ofEach[0], ofEach.at(-1)];
  return first === undefined || last === undefined ? undefined : { key: first, value: last };
}

/** Of batches whose checksum is written when they are sent. */
function recordsOf(batches: Buffer): readonly WireRecord[] {
  return splitBatches(batches).flatMap((batch) => decodeBatch(batch, false).content);
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
