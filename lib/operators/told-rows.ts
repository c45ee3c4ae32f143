import type { CurrentRecord } from '../records/current-record.ts';
import type { Push } from '../records/push.ts';
import type { OpenBroadcast } from './broadcast-side.ts';

/** A row that was broadcast. */
interface Told {
  readonly origin: string;
  readonly timestamp: number;
  readonly value: unknown;
  readonly take: Push;
}

/** What was broadcast in an epoch: kept until all of it is there, then taken in order of its origins, before any other row. */
export class ToldRows {
  /** Has all that was broadcast in the epoch been taken? */
  isTold = false;
  readonly #broadcasts: readonly OpenBroadcast[];
  readonly #current: CurrentRecord;
  #rows: Told[] = [];

  constructor(broadcasts: readonly OpenBroadcast[], current: CurrentRecord) {
    this.#broadcasts = broadcasts;
    this.#current = current;
  }

  begin(): void {
    for (const { state } of this.#broadcasts) state.begin();
    this.#rows = [];
    this.isTold = false;
  }

  keep(row: Told): void {
    this.#rows.push(row);
  }

  /** Throws `UserCodeError`. @param working has user code work */
  tell(working: (work: () => void) => void): void {
    if (this.isTold) return;
    this.isTold = true;
    if (this.#broadcasts.length === 0) return;
    // As many as have one origin stay as they came: in order of the inputs, and as they were made.
    this.#rows.sort((one, other) => (one.origin < other.origin ? -1 : one.origin > other.origin ? 1 : 0));
    working(() => {
      for (const { state } of this.#broadcasts) state.turnOn();
      for (const { timestamp, value, take } of this.#rows) {
        this.#current.timestamp = timestamp;
        take(value);
      }
      for (const { seal } of this.#broadcasts) seal();
    });
    this.#rows = [];
  }
}
