import { JOB } from '../sim-job.ts';
import { neededNames } from './garbage.ts';
import { lifeOf, type Scene } from './scene.ts';

/** A collection that lasts as long, without a fault, is none: what it reads first it reads within this. */
const LONGEST_COLLECTION_MS = 9_000;

/** What one coordinator has found to do. */
interface Collector {
  /** What was garbage when it looked at the row, the newest last. */
  readonly looks: { readonly atMs: number; readonly garbage: ReadonlySet<string> }[];
  /** What its last collection must have found, and when it read the manifests. */
  due: { readonly atMs: number; readonly garbage: ReadonlySet<string> } | undefined;
}

/**
 * What nothing needs any more goes (I7): what was garbage well before a coordinator began a collection is not there when it begins the next one,
 * if nothing went wrong for it meanwhile. What came when it was garbage already, of an attempt that nobody waited for, may stay a while.
 */
export class Leftovers {
  readonly #scene: Scene;
  readonly #late = new Set<string>();
  readonly #collectors = new Map<string, Collector>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  takePut(name: string): void {
    // Each has a name of its own, and nothing names it yet.
    if (this.#isGarbage(name, new Set())) this.#late.add(name);
  }

  /** The coordinator looks at the row. */
  takeLook(coordinator: string, nowMs: number): void {
    const collector = this.#collectors.get(coordinator) ?? { looks: [], due: undefined };
    this.#collectors.set(coordinator, collector);
    if (nowMs - (collector.looks.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) < LEAST_BETWEEN_MS) return;
    collector.looks.push({ atMs: nowMs, garbage: this.#garbage() });
    while (collector.looks.length > MOST_LOOKS) collector.looks.shift();
  }

  /** The coordinator reads the manifests of a collection. @param hasTrouble did anything go wrong for it since then? */
  takeCollection(coordinator: string, nowMs: number, hasTrouble: (sinceMs: number) => boolean): void {
    const collector = this.#collectors.get(coordinator);
    if (collector === undefined) return;
    const { due, looks } = collector;
    if (due !== undefined && !hasTrouble(due.atMs - LONGEST_COLLECTION_MS)) {
      const now = this.#garbage();
      const left = [...due.garbage].find((name) => now.has(name));
      if (left !== undefined)
        this.#scene.fail('I7', `nothing needs blob ${left}, and ${coordinator} has left it, whose collections nothing has disturbed`);
    }
    const before = looks.findLast(({ atMs }) => atMs <= nowMs - LONGEST_COLLECTION_MS);
    collector.due = before && { atMs: nowMs, garbage: before.garbage };
  }

  #garbage(): ReadonlySet<string> {
    const needed = neededNames(this.#scene);
    return new Set([...this.#scene.bucket.blobs.keys()].filter((name) => !this.#late.has(name) && this.#isGarbage(name, needed)));
  }

  #isGarbage(name: string, needed: ReadonlySet<string>): boolean {
    const { table } = this.#scene;
    const row = table.row(JOB);
    if (row?.lastCompleted === undefined || lifeOf(this.#scene, row.incarnation)?.over !== false || needed.has(name)) return false;
    const incarnation = name.split('/')[1] as string;
    const isComing = table.savepoints.of(JOB).some((each) => each.standing === 'importing' && each.incarnation === incarnation);
    if (isComing) return false;
    if (incarnation !== row.incarnation) return row.former?.some((left) => left.incarnation === incarnation) === true;
    const epoch = Number(/-(\d{12})-[0-9a-f]+$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
    return epoch <= (/\/(exchange|output)\//.test(name) ? row.lastCommitted : row.lastCompleted.epoch);
  }
}

/** It looks every two seconds, and when it does something besides. */
const LEAST_BETWEEN_MS = 1_000;
const MOST_LOOKS = 32;
