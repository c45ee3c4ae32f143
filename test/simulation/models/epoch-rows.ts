import type { Decision, EpochRow } from '../../../lib/ports/epoch-store.ts';

interface StoredEpoch {
  readonly epoch: number;
  readonly decisionId: string;
  /** JSON, as a table keeps it: nobody shares an object with it. */
  readonly text: string;
  /** Whole seconds, as a table keeps them. */
  expiresAtSeconds?: number;
}

/** The rows of decided epochs, by job and incarnation. */
export class EpochRows {
  /** Oldest first. */
  readonly #rows = new Map<string, StoredEpoch[]>();

  has(job: string, incarnation: string, epoch: number): boolean {
    return this.#find(job, incarnation, epoch) !== undefined;
  }

  /** @param text the decision as JSON */
  add(job: string, incarnation: string, row: Pick<StoredEpoch, 'epoch' | 'decisionId' | 'text'>): void {
    const rows = this.#rowsOf(job, incarnation);
    rows.splice(placeOf(rows, row.epoch), 0, { ...row });
    this.#rows.set(`${job} ${incarnation}`, rows);
  }

  /** The incarnation has this row alone. */
  begin(job: string, incarnation: string, row: Pick<StoredEpoch, 'epoch' | 'decisionId' | 'text'>): void {
    this.#rows.set(`${job} ${incarnation}`, [{ ...row }]);
  }

  at(job: string, incarnation: string, epoch: number): EpochRow | undefined {
    const row = this.#find(job, incarnation, epoch);
    return row === undefined ? undefined : rowOf(row);
  }

  after(job: string, incarnation: string, after: number): EpochRow[] {
    const rows = this.#rowsOf(job, incarnation);
    return rows.slice(placeOf(rows, after + 1)).map(rowOf);
  }

  expire(job: string, incarnation: string, epoch: number, expiresAtMs: number): void {
    const row = this.#find(job, incarnation, epoch);
    if (row !== undefined) row.expiresAtSeconds = Math.ceil(expiresAtMs / 1000);
  }

  /** What the store does by itself, some time after it was due: rows go whose time to live is over. */
  deleteExpired(wallMs: number): void {
    const isOver = ({ expiresAtSeconds }: StoredEpoch) => expiresAtSeconds !== undefined && expiresAtSeconds * 1000 <= wallMs;
    for (const [key, rows] of this.#rows)
      if (rows.some(isOver))
        this.#rows.set(
          key,
          rows.filter((row) => !isOver(row)),
        );
  }

  /** Incarnations of the job of which there are epochs, but `own`. */
  otherIncarnations(job: string, own: string): string[] {
    return [...this.#rows.keys()]
      .filter((key) => key.startsWith(`${job} `) && key !== `${job} ${own}`)
      .map((key) => key.slice(job.length + 1));
  }

  /** How many there were. */
  deleteAll(job: string, incarnation: string): number {
    const { length } = this.#rowsOf(job, incarnation);
    this.#rows.delete(`${job} ${incarnation}`);
    return length;
  }

  /** `lasting`: rows that have no time to live. */
  size(): { readonly rows: number; readonly lasting: number; readonly bytes: number } {
    const all = [...this.#rows.values()].flat();
    return {
      rows: all.length,
      lasting: all.filter(({ expiresAtSeconds }) => expiresAtSeconds === undefined).length,
      bytes: all.reduce((sum, { text }) => sum + text.length, 0),
    };
  }

  #rowsOf(job: string, incarnation: string): StoredEpoch[] {
    return this.#rows.get(`${job} ${incarnation}`) ?? [];
  }

  #find(job: string, incarnation: string, epoch: number): StoredEpoch | undefined {
    const rows = this.#rowsOf(job, incarnation);
    const row = rows[placeOf(rows, epoch)];
    return row?.epoch === epoch ? row : undefined;
  }
}

/** Of the first row that is not older, in rows that are oldest first. */
function placeOf(rows: readonly StoredEpoch[], epoch: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.epoch ?? epoch) < epoch) low = middle + 1;
    else high = middle;
  }
  return low;
}

function rowOf({ text, expiresAtSeconds }: StoredEpoch): EpochRow {
  const { epoch, decisionId, manifest, summary } = JSON.parse(text) as Decision;
  return { epoch, decisionId, manifest, summary, expiresAtMs: expiresAtSeconds === undefined ? undefined : expiresAtSeconds * 1000 };
}
