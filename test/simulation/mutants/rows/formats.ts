import { edit, type Mutant } from '../mutant.ts';

const READER = 'lib/format/record-set-reader.ts';

export const formats: readonly Mutant[] = [
  {
    name: 'a blob is acknowledged before a manifest names it',
    edits: [edit('lib/storage/blobs.ts', 'await store.put(name, ...sealed);', 'store.put(name, ...sealed).catch(() => {});')],
  },
  {
    name: 'names of blobs are unique to one invocation',
    edits: [
      edit('lib/storage/blobs.ts', 'const name = blobName(place, folder, random.id());', "const name = blobName(place, folder, '00');"),
    ],
  },
  {
    name: 'records of aborted transactions are left out',
    edits: [
      edit(
        READER,
        'else if (this.#abortedProducers.has(producerId)) {',
        'else if (this.#abortedProducers.has(producerId) && producerId < 0n) {',
      ),
    ],
  },
  {
    name: 'aborted transactions are sorted by their first offset',
    edits: [edit(READER, 'this.#aborted = byFirstOffset(options.aborted);', 'this.#aborted = [...options.aborted];')],
  },
  {
    name: "an abort marker ends the aborted transaction, and no more of its producer's",
    edits: [edit(READER, 'if (this.#isAbortMarker()) this.#abortedProducers.delete(producerId);', '')],
  },
  {
    name: "the end of a transaction is nobody's record",
    edits: [edit('lib/format/control-record.ts', 'if (last >= offset && isControl) return undefined;', '')],
  },
  {
    name: 'one subtask keeps what all hold alike',
    focus: 'connected',
    edits: [edit('lib/protocol/shared-state.ts', 'return subtask === 0;', 'return true;')],
  },
  {
    name: 'what is broadcast holds no time back',
    focus: 'connected',
    edits: [edit('lib/plan/time.ts', "if (how !== 'broadcast') meet(from);", "if (how !== 'sink') meet(from);")],
  },
  {
    name: 'of an epoch the streams of an operator come in its own order',
    focus: 'connected',
    edits: [edit('lib/plan/compile.ts', 'parts = parts.map((part) => ({ ...part, keyBys: inOrderOfAll(job, part) }));', '')],
  },
  {
    // No seed comes to it: whoever makes a permit makes it of the manifest whose committables it names. Unit tests catch it.
    name: 'a permit covers its own epoch alone',
    edits: [edit('lib/protocol/permit.ts', 'if (permit.epoch !== epoch) throw', 'if (permit.epoch < 0) throw')],
  },
];
