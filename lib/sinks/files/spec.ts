import type { ByteWriter } from '../../format/byte-writer.ts';

/** Files in a bucket or a folder, as a job's author gave them. */
export interface FileSinkSpec {
  readonly kind: 'files';
  /** `s3://bucket`, `s3://bucket/prefix` or `file:///folder`. */
  readonly location: string;
  readonly format: FileFormat<unknown>;
  readonly path: ((row: unknown, of: RowTime) => string) | undefined;
  readonly maxFileBytes: number;
  readonly compression: Compression;
  readonly manifests: boolean;
}

/** The same in a plan. */
export interface FileTarget {
  readonly kind: 'files';
  readonly location: string;
  readonly manifests: boolean;
}

/** Of files that a format does not compress by itself. */
export type Compression = 'none' | 'gzip';

/** Of the record that a row was made of. */
export interface RowTime {
  /** Milliseconds since the Unix epoch: of the record's event time, where its source has one. */
  readonly timestamp: number;
}

/** How rows of type `T` stand in a file. Made by `jsonLines`, `csv` or `parquet`. */
export interface FileFormat<T> {
  /** As messages have it. */
  readonly name: string;
  /** Of the file's name, without the dot. */
  readonly extension: string;
  /** With which an object is stored: a media type. */
  readonly contentType: string;
  /** What each file begins with. */
  readonly head: string;
  /** Appends a row. Throws `TypeError` when the format cannot hold it. */
  readonly write: (row: T, out: ByteWriter) => void;
  /** Of a format whose files are more than rows one behind the other. @default none */
  readonly assembly?: FileAssembly;
}

/** How a file is made of rows as `write` wrote them. */
export interface FileAssembly {
  /** What has to be known besides the rows: it is staged with them, as JSON. */
  readonly about: Readonly<Record<string, unknown>>;
  /** The same of the same rows, in whichever process. */
  readonly assemble: (about: Readonly<Record<string, unknown>>, rows: readonly Buffer[]) => Uint8Array;
}
