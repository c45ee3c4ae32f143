import { StoreProblem } from '../../lib/ports/store-problem.ts';
import type { OpenUpload, UploadStore } from '../../lib/ports/uploads.ts';

interface Upload {
  readonly key: string;
  readonly begunMs: number;
  readonly parts: Map<string, Buffer>;
}

/** A place for files, in memory: a model of a bucket with multipart uploads. */
export class UploadPlace {
  /** What readers see. */
  readonly files = new Map<string, Buffer>();
  /** Told of each file as it appears. */
  onFile: (key: string, content: Buffer) => void = () => {};
  /** Is every write refused, because a right was taken away? */
  isDenied = false;
  readonly #open = new Map<string, Upload>();
  readonly #nowMs: () => number;
  #names = 0;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  begin(key: string): string {
    this.#checkRight(key);
    const upload = `upload-${++this.#names}`;
    this.#open.set(upload, { key, parts: new Map(), begunMs: this.#nowMs() });
    return upload;
  }

  /** Undefined: there is no such upload. */
  part(upload: string, number: number, bytes: Uint8Array): string | undefined {
    this.#checkRight(upload);
    if (number < 1 || number > 10_000) throw new Error(`part ${number}: S3 takes 1 to 10,000`);
    const name = `part-${number}-${++this.#names}`;
    return this.#open.get(upload)?.parts.set(name, Buffer.from(bytes)) === undefined ? undefined : name;
  }

  complete(key: string, upload: string, parts: readonly string[]): 'completed' | 'exists' | 'gone' {
    this.#checkRight(key);
    const open = this.#open.get(upload);
    const content = parts.flatMap((part) => open?.parts.get(part) ?? []);
    if (open?.key !== key || content.length < parts.length) return 'gone';
    if (this.files.has(key)) return 'exists';
    const whole = Buffer.concat(content);
    this.files.set(key, whole);
    this.#open.delete(upload);
    this.onFile(key, whole);
    return 'completed';
  }

  #checkRight(what: string): void {
    if (this.isDenied) throw new StoreProblem(`access denied: ${what} may not be written`, false);
  }

  abort(upload: string): void {
    this.#open.delete(upload);
  }

  isOpen(upload: string): boolean {
    return this.#open.has(upload);
  }

  get open(): readonly (OpenUpload & { readonly begunMs: number })[] {
    return [...this.#open].map(([upload, { key, begunMs }]) => ({ key, upload, begunMs }));
  }
}

/** Carries a request to the model: at once, or through a network. */
export type CarryUpload = <T>(api: string, about: string, execute: () => T) => Promise<T>;

/** The engine's port on the model. */
export function uploadStoreOn(place: UploadPlace, carry: CarryUpload = async (_api, _about, execute) => execute()): UploadStore {
  return {
    begin: (key) => carry('beginUpload', key, () => place.begin(key)),
    async part(key, upload, number, bytes) {
      const sent = Buffer.from(bytes);
      const name = await carry('uploadPart', key, () => place.part(upload, number, sent));
      if (name === undefined) throw new StoreProblem(`there is no upload ${upload} of ${key}`, true);
      return name;
    },
    complete: (key, upload, parts) => carry('completeUpload', key, () => place.complete(key, upload, parts)),
    abort: (key, upload) => carry('abortUpload', key, () => place.abort(upload)),
    isOpen: (key, upload) => carry('isUploadOpen', key, () => place.isOpen(upload)),
    sizeOf: (key) => carry('sizeOf', key, () => place.files.get(key)?.length),
    open: () => carry('openUploads', '', () => place.open.map(({ key, upload }) => ({ key, upload }))),
  };
}
