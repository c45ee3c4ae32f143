import type { Savepoint } from '../../../lib/ports/epoch-store.ts';

type Named = Pick<Savepoint, 'job' | 'name' | 'id'>;

/** The rows of savepoints, by job and name. */
export class SavepointRows {
  readonly #rows = new Map<string, Savepoint>();

  all(): readonly Savepoint[] {
    return [...this.#rows.values()];
  }

  /** By name. */
  of(job: string): Savepoint[] {
    return this.all()
      .filter((each) => each.job === job)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  get(job: string, name: string): Savepoint | undefined {
    return this.#rows.get(`${job} ${name}`);
  }

  /** How to answer who creates it, when there is one of its name. */
  known({ job, name, id }: Named): 'created' | 'exists' | undefined {
    const known = this.get(job, name);
    if (known === undefined) return undefined;
    return known.id === id ? 'created' : 'exists';
  }

  put(savepoint: Savepoint): void {
    this.#rows.set(`${savepoint.job} ${savepoint.name}`, JSON.parse(JSON.stringify(savepoint)) as Savepoint);
  }

  import(savepoint: Savepoint): 'created' | 'exists' {
    const known = this.known(savepoint);
    if (known === undefined) this.put(savepoint);
    return known ?? 'created';
  }

  move({ job, name, id }: Named, to: 'complete' | 'deleting'): 'moved' | 'gone' {
    const known = this.get(job, name);
    if (known?.id !== id || (to === 'complete' && known.standing === 'deleting')) return 'gone';
    this.#rows.set(`${job} ${name}`, { ...known, standing: to });
    return 'moved';
  }

  delete({ job, name, id }: Named): void {
    const known = this.get(job, name);
    if (known?.id === id && known.standing === 'deleting') this.#rows.delete(`${job} ${name}`);
  }
}
