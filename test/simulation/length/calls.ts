/** Of one kind of call. */
export interface CallCount {
  readonly calls: number;
  /** Of a call that answers a list: entries, together, and the most that one call answered. */
  readonly items: number;
  readonly mostItems: number;
  /** Of a call to the table: what DynamoDB bills for it, read or written. */
  readonly units: number;
}

const NONE: CallCount = { calls: 0, items: 0, mostItems: 0, units: 0 };
const READ_UNIT_BYTES = 4_096;
const WRITE_UNIT_BYTES = 1_024;

/** What was asked of the stores and of Kafka, by api. */
export class Calls {
  readonly #counts = new Map<string, CallCount>();

  add(api: string, answer: unknown, units = 0): void {
    const items = Array.isArray(answer) ? answer.length : 0;
    const before = this.of(api);
    const { calls, mostItems } = before;
    const after = { calls: calls + 1, items: before.items + items, mostItems: Math.max(mostItems, items), units: before.units + units };
    this.#counts.set(api, after);
  }

  of(api: string): CallCount {
    return this.#counts.get(api) ?? NONE;
  }

  /** Counts from here on. */
  forget(): void {
    this.#counts.clear();
  }

  get apis(): string[] {
    return [...this.#counts.keys()].sort();
  }
}

/** Read consistently: at least one, also of what is not there. */
export function readUnits(answer: unknown): number {
  return Math.max(1, Math.ceil(bytesOf(answer) / READ_UNIT_BYTES));
}

export function writeUnits(row: unknown): number {
  return Math.max(1, Math.ceil(bytesOf(row) / WRITE_UNIT_BYTES));
}

/** Rows are replaced, never changed: each is measured once. */
const measured = new WeakMap<object, number>();

function bytesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : JSON.stringify(value).length;
  const known = measured.get(value) ?? JSON.stringify(value).length;
  measured.set(value, known);
  return known;
}
