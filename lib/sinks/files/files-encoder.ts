import { ByteWriter } from '../../format/byte-writer.ts';
import { UserCodeError } from '../../records/errors.ts';
import type { Push } from '../../records/push.ts';
import type { EncoderContext, RecordSink } from '../kind.ts';
import { checkedPath } from './paths.ts';
import type { FileSinkSpec } from './spec.ts';
import { type Codec, encodeStagedFiles, type Section } from './staged-files.ts';

/** Rows of one folder. */
class Folder {
  readonly name: string;
  readonly out = new ByteWriter();
  /** Where sections end, and how many rows each has. */
  readonly cuts: { readonly end: number; readonly rows: number }[] = [];
  /** Of the section that is being written. */
  rows = 0;
  begin = 0;

  constructor(name: string) {
    this.name = name;
  }

  cut(): void {
    this.cuts.push({ end: this.out.position, rows: this.rows });
    this.begin = this.out.position;
    this.rows = 0;
  }

  /** Views, valid until the next row. */
  sections(): Section[] {
    if (this.rows > 0) this.cut();
    const bytes = this.out.view();
    let start = 0;
    return this.cuts.map(({ end, rows }) => {
      const content = bytes.subarray(start, end);
      start = end;
      return { folder: this.name, rows, content };
    });
  }
}

/** Encodes what one sink writes in an epoch, by folder. */
export class FilesEncoder implements RecordSink {
  readonly #sink: string;
  readonly #spec: FileSinkSpec;
  readonly #current: EncoderContext['current'];
  readonly #codec: Codec;
  /** One object for all rows. */
  readonly #time = { timestamp: 0 };
  #folders = new Map<string, Folder>();
  #records = 0;

  constructor(spec: FileSinkSpec, { sink, current }: Pick<EncoderContext, 'sink' | 'current'>) {
    this.#sink = sink;
    this.#spec = spec;
    this.#current = current;
    const { format, compression, maxFileBytes } = spec;
    const { head, contentType, assembly } = format;
    const extension = compression === 'gzip' ? `${format.extension}.gz` : format.extension;
    this.#codec = {
      head,
      compression,
      extension,
      contentType: compression === 'gzip' ? 'application/gzip' : contentType,
      maxFileBytes,
      ...(assembly !== undefined && { assembly: { format: format.name, about: assembly.about } }),
    };
  }

  get records(): number {
    return this.#records;
  }

  begin(): void {
    this.#folders = new Map();
    this.#records = 0;
  }

  readonly append: Push = (row) => {
    const { path, format, maxFileBytes } = this.#spec;
    try {
      this.#time.timestamp = this.#current.timestamp;
      const name = path === undefined ? '' : checkedPath(path(row, this.#time));
      let folder = this.#folders.get(name);
      if (folder === undefined) {
        folder = new Folder(name);
        this.#folders.set(name, folder);
      }
      format.write(row, folder.out);
      folder.rows++;
      if (folder.out.position - folder.begin >= maxFileBytes) folder.cut();
    } catch (cause) {
      throw new UserCodeError(this.#sink, cause);
    }
    this.#records++;
  };

  finish(): Buffer[] | undefined {
    if (this.#records === 0) return undefined;
    return encodeStagedFiles(
      this.#codec,
      [...this.#folders.values()].flatMap((folder) => folder.sections()),
    );
  }
}
