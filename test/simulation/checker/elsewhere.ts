import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { folderOf } from '../jobs/reaching.ts';
import type { TakenRows, Targets } from '../models/targets.ts';
import { type ElsewhereKind, JOB, shapeOf } from '../sim-job.ts';
import { type Life, sinkOf } from './life.ts';
import { lifeOf, type Scene } from './scene.ts';
import { differenceOf, multiset } from './texts.ts';

const FILE = new RegExp(`^(?:(.+)/)?${JOB}-([0-9a-f]+)-(.+)-(\\d+)-(\\d{12})-\\d+\\.txt$`);
const MANIFESTS = '_manifests/';

/**
 * What the job's sinks write that do not write to Kafka, as those see it to whom they write: rows of decided epochs (I4), those that were
 * staged and each once (I2), in the order of epochs (I5).
 */
export class Elsewhere {
  /** Batches that were delivered again. */
  repeated = 0;
  readonly #scene: Scene;
  readonly #targets: Targets;

  constructor(scene: Scene, targets: Targets) {
    this.#scene = scene;
    this.#targets = targets;
    targets.onRows = (given, isRepeat) => this.#takeRows(given, isRepeat);
    targets.uploads.onFile = (key, content) => this.#takeFile(key, content.toString('utf8'));
  }

  #takeRows({ place, rows }: TakenRows, isRepeat: boolean): void {
    const { fail } = this.#scene;
    const { incarnation, sink, subtask, epoch, batch } = place;
    const what = `batch ${batch} of ${sink} ${subtask} in epoch ${epoch}`;
    const life = lifeOf(this.#scene, incarnation);
    const staged = life?.epoch(epoch)?.elsewhere.get(`${sink} ${subtask}`)?.batches?.[batch];
    if (life === undefined || staged === undefined) return fail('I4', `${what} was delivered, and no decided epoch has staged it`);
    if (rows.join('\n') !== staged.join('\n'))
      fail('I2', `${what}: ${rows.length} rows were delivered that are not the ${staged.length} of the staged output`);
    if (isRepeat) {
      this.repeated++;
      return;
    }
    this.#checkTurn(life, sink, epoch, what);
    if (batch > 0 && !life.taken.has(`${sink} ${subtask} ${epoch} ${batch - 1}`))
      fail('I5', `${what} was delivered before the one before it`);
    life.taken.add(`${sink} ${subtask} ${epoch} ${batch}`);
  }

  #takeFile(key: string, content: string): void {
    const { fail } = this.#scene;
    if (key.startsWith(MANIFESTS)) return this.#takeManifest(key, content);
    const [, folder = '', incarnation = '', sink = '', subtask, epochText] = FILE.exec(key) ?? [];
    const [epoch, where] = [Number(epochText), `${sink} ${subtask}`];
    const life = lifeOf(this.#scene, incarnation);
    const staged = life?.epoch(epoch)?.elsewhere.get(where)?.rows;
    if (life === undefined || staged === undefined) return fail('I4', `file ${key} appeared, and no decided epoch has staged it`);
    this.#checkTurn(life, sink, epoch, `file ${key}`);
    const seen = life.appeared.get(`${where} ${epoch}`) ?? [];
    life.appeared.set(`${where} ${epoch}`, seen);
    for (const row of content.trimEnd().split('\n')) {
      if (!staged.includes(row)) fail('I2', `file ${key}: ${row} is not of the staged output`);
      if (seen.includes(row)) fail('I2', `file ${key}: ${row} is in another file too`);
      if (folderOf(row) !== folder) fail('I2', `file ${key}: ${row} belongs into ${folderOf(row)}`);
      seen.push(row);
    }
  }

  /** A list appears behind all that it lists. */
  #takeManifest(key: string, content: string): void {
    const { files } = JSON.parse(content) as { readonly files: readonly { readonly key: string; readonly bytes: number }[] };
    for (const file of files)
      if (this.#targets.uploads.files.get(file.key)?.length !== file.bytes)
        this.#scene.fail('I2', `list ${key} appeared, and file ${file.key} is not there with ${file.bytes} bytes`);
  }

  /** Behind all epochs before, and while its incarnation lasts. */
  #checkTurn(life: Life, sink: string, epoch: number, what: string): void {
    if (life.over) this.#scene.fail('I2', `${what} came after its incarnation was deleted`);
    for (const decided of life.decided) {
      if (decided.manifest.epoch >= epoch) return;
      const [open] = life.missing(decided).filter((text) => text.startsWith(`${sink} `));
      if (open !== undefined) this.#scene.fail('I5', `${what} came before ${open} of epoch ${decided.manifest.epoch}`);
    }
  }

  /** What counts as COMMITTED is out. */
  takeCommitted(row: JobRow, epoch: number): void {
    const life = lifeOf(this.#scene, row.incarnation);
    for (const decided of life?.decided ?? []) {
      if (decided.manifest.epoch > epoch) return;
      const [open] = life?.missing(decided) ?? [];
      if (open !== undefined)
        this.#scene.fail(
          'I2',
          `epoch ${epoch} is recorded as COMMITTED by generation ${row.generation}, and ${open} of epoch ${decided.manifest.epoch} is not out`,
        );
    }
  }

  /** In the end: all that was written is what the job makes of its input. */
  checkEnd(): void {
    const { job, lives, fail } = this.#scene;
    for (const [uid, kind] of shapeOf(job).others)
      for (const life of lives) {
        const expected = multiset(life.decided.flatMap(({ written }) => (written.get(uid) ?? []).map(({ text }) => text)));
        const found = this.#rowsOf(kind, life, uid);
        const difference = differenceOf(expected, multiset(found));
        if (difference !== undefined)
          fail('I2', `what ${uid} has written (incarnation ${life.incarnation}) is not what it makes of the input: ${difference}`);
      }
  }

  #rowsOf(kind: ElsewhereKind, life: Life, uid: string): string[] {
    switch (kind) {
      case 'files':
        return this.#rowsInFiles(life, uid);
      case 'deliver':
        return this.#rowsTaken(life, uid);
      case 'dynamodb':
        throw new Error('the simulation has no tables of items: no job of it has such a sink');
    }
  }

  #rowsInFiles({ appeared }: Life, uid: string): string[] {
    return [...appeared].flatMap(([whereAndEpoch, rows]) => (sinkOf(sinkOf(whereAndEpoch)) === uid ? rows : []));
  }

  #rowsTaken({ incarnation }: Life, uid: string): string[] {
    return [...this.#targets.taken.values()].flatMap(({ place, rows }) =>
      place.sink === uid && place.incarnation === incarnation ? rows : [],
    );
  }
}
