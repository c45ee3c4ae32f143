import * as z from 'zod';
import { parseManifest } from '../../protocol/manifest.ts';
import { savepointSchema } from '../../protocol/savepoint.ts';
import { count, list, name, shapeFault } from '../../protocol/shape.ts';

/** Of the files beside each other that are an exported savepoint, the one that says what it is. It is written last: without it there is no export. */
export const PORTABLE_INDEX = 'savepoint.json';
/** Raised when a build before cannot read what this one exports. */
export const PORTABLE_FORMAT = 1;

const blobSchema = z
  .object({
    /** In the manifest. */
    name,
    /** Beside the index. */
    file: name,
    bytes: count,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  })
  .readonly();
export type PortableBlob = z.infer<typeof blobSchema>;

const { id: _id, standing: _standing, ...kept } = savepointSchema.shape;
const indexSchema = z
  .object({
    onceflow: z.literal('savepoint'),
    format: z.literal(PORTABLE_FORMAT),
    ...kept,
    manifest: z.unknown(),
    blobs: list(blobSchema),
  })
  .readonly();
export type PortableIndex = z.infer<typeof indexSchema>;

export type ReadIndex = { readonly outcome: 'read'; readonly index: PortableIndex } | { readonly outcome: 'refused'; readonly why: string };

/** What an index says. `why` names the mend. */
export function readIndex(bytes: Buffer): ReadIndex {
  const parsed = parseJson(bytes);
  const { onceflow, format } = (parsed ?? {}) as { readonly onceflow?: unknown; readonly format?: unknown };
  if (onceflow !== 'savepoint') return { outcome: 'refused', why: `its ${PORTABLE_INDEX} is not that of an exported savepoint` };
  if (typeof format === 'number' && format > PORTABLE_FORMAT)
    return {
      outcome: 'refused',
      why: `it is of format ${format}, and this build reads format ${PORTABLE_FORMAT}: import it with a later one`,
    };
  const fault = shapeFault(indexSchema, parsed) ?? manifestFault(parsed);
  if (fault !== undefined) return { outcome: 'refused', why: `its ${PORTABLE_INDEX} is damaged: ${fault}` };
  return { outcome: 'read', index: parsed as PortableIndex };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function manifestFault(index: unknown): string | undefined {
  try {
    const { epoch, decisionId, manifest } = index as PortableIndex;
    const of = parseManifest(manifest, 'manifest');
    if (of.epoch === epoch && of.decisionId === decisionId) return undefined;
    return `it is of epoch ${epoch} (decision ${decisionId}), and its manifest of epoch ${of.epoch} (decision ${of.decisionId})`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
