import type { SpilledRows } from '../ports/spilled-rows.ts';

/** The bound of what keyed state takes in memory, and where what is beyond it goes. */
export interface StateBound {
  /** Of an operator subtask: of all its operators together. */
  readonly boundBytes: number;
  /** One for each operator. */
  readonly openRows: () => SpilledRows;
}

/** What the keyed state of an operator subtask takes, by estimate. All its operators share it. */
export class StateMemory {
  usedBytes = 0;
  readonly #bound: StateBound;

  constructor(bound: StateBound) {
    this.#bound = bound;
  }

  get isOver(): boolean {
    return this.usedBytes > this.#bound.boundBytes;
  }

  /** A base is written in blobs of about this size, each of which is in memory as a whole. */
  get partBytes(): number {
    return Math.min(MOST_PART_BYTES, this.#bound.boundBytes / PARTS);
  }

  openRows(): SpilledRows {
    return this.#bound.openRows();
  }
}

const MOST_PART_BYTES = 64 * 1024 * 1024;
const PARTS = 8;
