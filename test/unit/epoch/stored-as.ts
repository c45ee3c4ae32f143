import { sealBlob } from '../../../lib/format/blob.ts';
import type { ByteWriter } from '../../../lib/format/byte-writer.ts';
import type { SnapshotRef } from '../../../lib/protocol/references.ts';
import { SnapshotWriter } from '../../../lib/state/snapshot/writer.ts';

interface State {
  readonly name: string;
  readonly serde?: string;
  readonly kind?: string;
}

/** A blob that says that it holds these states, of one key or of none. */
export function storedAs(states: readonly State[], isEmpty = false): SnapshotRef['deltas'][number] {
  const writer = new SnapshotWriter(
    'base',
    states.map(() => ({ write: (_number: number, out: ByteWriter) => (out.u8(1) as unknown) === undefined })),
  );
  if (!isEmpty) {
    writer.group(3);
    writer.entry('k', 0);
  }
  const parts = writer.finish(states.map(({ name, kind = 'value', serde = 'int64' }) => ({ name, kind, serdes: [serde] })));
  return { at: 'inline', base64: Buffer.concat(sealBlob('state', parts)).toString('base64') };
}

/** A base and deltas that say so. */
export const snapshotOf = (base: readonly State[], ...deltas: (readonly State[])[]): SnapshotRef => ({
  ...{ id: 's', keyGroups: { first: 0, last: 127 }, base: storedAs(base), deltas: deltas.map((each) => storedAs(each)) },
});
