import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { StoreProblem } from '../../ports/store-problem.ts';
import { keyOf } from './paths.ts';
import type { FileFormat } from './spec.ts';
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

/** @param format that of the sink in this process, which makes files of what it staged; undefined: the job's code is not here, or another */
export async function bytesOf({ key, codec, content }: PlannedFile, format: FileFormat<unknown> | undefined): Promise<Uint8Array> {
  const { assembly } = codec;
  if (assembly !== undefined) {
    if (format?.name !== assembly.format || format.assembly === undefined)
      throw new StoreProblem(
        `${key} is to be made of rows as ${assembly.format}, and the job's code in this process does not do that: start the job with the format that staged them, or name its module to this command (ONCEFLOW_JOB)`,
        false,
      );
    return format.assembly.assemble(assembly.about, content);
  }
  const plain = Buffer.concat(codec.head === '' ? content : [Buffer.from(codec.head), ...content]);
  return codec.compression === 'gzip' ? compressed(plain) : plain;
}
