import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { keyOf } from './paths.ts';
import type { Codec, Section, StagedFiles } from './staged-files.ts';

/** A file that is to be, and what it will hold. */
export interface PlannedFile {
  readonly key: string;
  readonly rows: number;
  readonly codec: Codec;
  readonly content: readonly Buffer[];
}

const compressed = promisify(gzip);

/**
 * The files that one subtask's staged output becomes: in each folder the rows in their order, a file as large as it may be. The same
 * staged output gives the same files, whoever cuts them and how often.
 */
export function cutFiles(staged: readonly StagedFiles[], stem: string): PlannedFile[] {
  const all = staged.flatMap(({ codec, sections }) => sections.map((section) => ({ codec, section })));
  const folders = [...Map.groupBy(all, ({ section }) => section.folder)].sort(([left], [right]) => (left < right ? -1 : 1));
  const files = folders.flatMap(([folder, parts]) => {
    const grouped: { codec: Codec; sections: Section[]; bytes: number }[] = [];
    for (const { codec, section } of parts) {
      const open = grouped.at(-1);
      if (open !== undefined && open.bytes + section.content.length <= codec.maxFileBytes) {
        open.sections.push(section);
        open.bytes += section.content.length;
      } else grouped.push({ codec, sections: [section], bytes: section.content.length });
    }
    return grouped.map(({ codec, sections }) => ({ folder, codec, sections }));
  });
  return files.map(({ folder, codec, sections }, number) => ({
    key: keyOf(folder, stem, number, codec.extension),
    rows: sections.reduce((sum, { rows }) => sum + rows, 0),
    codec,
    content: sections.map(({ content }) => content),
  }));
}

export async function bytesOf({ codec, content }: PlannedFile): Promise<Buffer> {
  const plain = Buffer.concat(codec.head === '' ? content : [Buffer.from(codec.head), ...content]);
  return codec.compression === 'gzip' ? compressed(plain) : plain;
}
