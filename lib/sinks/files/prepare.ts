import { StoreProblem } from '../../ports/store-problem.ts';
import type { PrepareOutcome, SinkPlace, Staged, Until } from '../connector.ts';
import { asCommittable, type FilesCommittable, type Uploaded } from './committable.ts';
import { cutFiles, type PlannedFile } from './cut-files.ts';
import { manifestKey, stemOf } from './paths.ts';
import { decodeStagedFiles, type StagedFiles } from './staged-files.ts';
import type { PrepareTerms } from './terms.ts';
import { type FileWriter, forEachFile, uploadBytes, uploadFile } from './upload.ts';

const MOST_ANSWER_BYTES = 5 * 1024 * 1024;
/** Of a file of one part, besides its key: the upload's name, the part's, sizes. */
const BYTES_FOR_A_FILE = 400;

/**
 * Uploads all of one epoch's files of one sink subtask, so that nobody sees them. What an earlier attempt has left open is in nobody's
 * way, and ended when the job is settled. Throws what `staged` throws.
 */
export async function prepareFiles(
  until: Until,
  writer: FileWriter,
  place: SinkPlace,
  { location, manifests }: PrepareTerms,
  staged: Staged,
): Promise<PrepareOutcome> {
  if (staged.isEmpty) return { outcome: 'prepared', committable: undefined };
  const stem = stemOf(place);
  const planned = cutFiles(await stagedFilesOf(staged), stem);
  if (answerBytes(planned) > MOST_ANSWER_BYTES) return { outcome: 'failed', retriable: false, message: tooMany(place, planned.length) };
  const uploads = new Uploads(writer);
  try {
    const files = await forEachFile(planned, (file) => {
      if (until.clock.elapsedMs() >= until.deadlineMs)
        throw new StoreProblem(`its time was over when ${file.key} was to be uploaded to ${location}`, true);
      return uploads.file(file);
    });
    const manifest = manifests ? await uploads.bytes(manifestOf(place, stem, files)) : undefined;
    const { sink, subtask, epoch } = place;
    const committable: FilesCommittable = { sink, subtask, epoch, location, files, ...(manifest !== undefined && { manifest }) };
    return { outcome: 'prepared', committable: asCommittable(committable) };
  } catch (error) {
    await uploads.abort();
    if (!(error instanceof StoreProblem)) throw error;
    return { outcome: 'failed', retriable: error.retriable, message: `sink ${place.sink}: ${error.message}` };
  }
}

/** A prepare answers the names of all its files, and Lambda carries 6 MB. */
function answerBytes(planned: readonly PlannedFile[]): number {
  return planned.reduce((sum, { key }) => sum + Buffer.byteLength(key) + BYTES_FOR_A_FILE, 0);
}

function tooMany({ sink, subtask, epoch }: SinkPlace, files: number): string {
  return `sink ${sink}, subtask ${subtask}: epoch ${epoch} would be ${files} files, and their names are more than the function of the sink can answer: give fileSink coarser folders by \`path\` or a larger \`maxFileBytes\`, or the job smaller epochs (ONCEFLOW_MAX_EPOCH_BYTES)`;
}

export async function stagedFilesOf(staged: Staged): Promise<StagedFiles[]> {
  return (await staged.read()).map(({ payload, name }) => decodeStagedFiles(payload, name));
}

/** What was begun here, to be ended when it comes to nothing. */
export class Uploads {
  readonly #writer: FileWriter;
  readonly #begun: { readonly key: string; readonly upload: string }[] = [];

  constructor(writer: FileWriter) {
    this.#writer = writer;
  }

  file(file: PlannedFile): Promise<Uploaded> {
    return uploadFile(this.#writer, file, (upload) => this.#begun.push({ key: file.key, upload }));
  }

  bytes(of: Parameters<typeof uploadBytes>[1]): Promise<Uploaded> {
    return uploadBytes(this.#writer.store, of, (upload) => this.#begun.push({ key: of.key, upload }));
  }

  /** As well as that can be done now. */
  async abort(): Promise<void> {
    await Promise.all(this.#begun.map(({ key, upload }) => this.#writer.store.abort(key, upload).catch(() => {})));
  }
}

/** The list of an epoch's files: it appears behind them, so whoever sees it sees them all. */
export function manifestOf({ job, incarnation, sink, subtask, epoch }: SinkPlace, stem: string, files: readonly Uploaded[]) {
  const list = { job, incarnation, sink, subtask, epoch, files: files.map(({ key, rows, bytes }) => ({ key, rows, bytes })) };
  return {
    key: manifestKey(stem),
    contentType: 'application/json',
    rows: 0,
    bytes: Buffer.from(`${JSON.stringify(list, undefined, 2)}\n`),
  };
}
