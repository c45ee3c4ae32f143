/**
 * Files that appear whole or not at all, in one place: a bucket or a folder. What is uploaded is seen by nobody until it is completed.
 * Keys are relative to the place, with `/` between their parts. Every method throws `StoreProblem` when the store cannot do it.
 */
export interface UploadStore {
  /** Begins an upload, and answers its name. Several may be open for one key. */
  begin(key: string, contentType: string): Promise<string>;
  /** Adds a part, from 1 on, and answers what names its content when it is completed. Every part but the last has 5 MiB or more. An upload that somebody ended is a problem that passes: another one may be begun. */
  part(key: string, upload: string, number: number, bytes: Uint8Array): Promise<string>;
  /** Has the file appear, of the parts in their order. `exists`: there is a file of that name, which stays as it is. `gone`: there is no such upload (any more). */
  complete(key: string, upload: string, parts: readonly string[]): Promise<'completed' | 'exists' | 'gone'>;
  /** Ends an upload; no error when there is none. */
  abort(key: string, upload: string): Promise<void>;
  isOpen(key: string, upload: string): Promise<boolean>;
  /** Of the file that readers see. Undefined: there is none. */
  sizeOf(key: string): Promise<number | undefined>;
  /** What was begun, and neither completed nor aborted: by whomever. */
  open(): Promise<readonly OpenUpload[]>;
}

export interface OpenUpload {
  /** In a folder: its last part, which says whose it is. */
  readonly key: string;
  readonly upload: string;
}
