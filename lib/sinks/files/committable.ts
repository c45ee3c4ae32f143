import * as z from 'zod';
import type { Committable } from '../../protocol/committable.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { count, list, name, shapeFault } from '../../protocol/shape.ts';
import { checkConnector } from '../check-connector.ts';

/** Of committables whose token is one of these. */
export const CONNECTOR = 'files';

/** A file that is uploaded, and not completed. */
const uploadedSchema = z
  .object({
    key: name,
    /** The upload's name. */
    upload: name,
    /** What names its parts, in their order. */
    parts: list(name),
    /** The file's, when it is completed. */
    bytes: count,
    rows: count,
  })
  .readonly();
export type Uploaded = z.infer<typeof uploadedSchema>;

const tokenSchema = z
  .object({
    location: name,
    files: list(uploadedSchema),
    /** The list of these files, which is completed behind them. */
    manifest: uploadedSchema.optional(),
  })
  .readonly();

/** The files of one sink subtask in one epoch, prepared: any process can have them appear. */
export type FilesCommittable = Pick<Committable, 'sink' | 'subtask' | 'epoch'> & z.infer<typeof tokenSchema>;

/** The files that a committable is. @throws MalformedError: it is another connector's, or damaged */
export function filesCommittable(committable: Committable): FilesCommittable {
  checkConnector(committable, CONNECTOR);
  const { sink, subtask, epoch, token } = committable;
  const fault = shapeFault(tokenSchema, token);
  if (fault !== undefined)
    throw new MalformedError(`the committable of sink ${sink}, subtask ${subtask}, epoch ${epoch} holds no files: ${fault}`);
  return { sink, subtask, epoch, ...(token as z.infer<typeof tokenSchema>) };
}

/** As others carry it. */
export function asCommittable({ sink, subtask, epoch, ...token }: FilesCommittable): Committable {
  return { sink, connector: CONNECTOR, subtask, epoch, token };
}

/** All that is to appear, in the order in which it does. */
export function uploadsOf({ files, manifest }: Pick<FilesCommittable, 'files' | 'manifest'>): readonly Uploaded[] {
  return manifest === undefined ? files : [...files, manifest];
}
