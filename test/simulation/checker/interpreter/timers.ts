import type { Kept } from '../blobs.ts';
import type { TimeTold, Told } from './epoch.ts';
import type { Handle } from './handles.ts';

type Domain = 'event' | 'processing';

/** The timers of one key: what is kept has `event 12` or `processing 12` for each. */
export class TimersHandle implements Handle {
  readonly #names: Set<string>;

  constructor(kept: ReadonlyMap<string, Buffer>) {
    this.#names = new Set(kept.keys());
  }

  set(domain: Domain, timeMs: number): void {
    this.#names.add(`${domain} ${timeMs + 0}`);
  }

  delete(domain: Domain, timeMs: number): void {
    this.#names.delete(`${domain} ${timeMs + 0}`);
  }

  takeBack(): ReadonlyMap<string, Buffer> | undefined {
    return this.#names.size === 0 ? undefined : new Map([...this.#names].map((name) => [name, Buffer.alloc(0)]));
  }
}

export interface OneTimer {
  readonly key: Buffer;
  readonly domain: Domain;
  readonly timeMs: number;
}

/** All timers in the states of some keys. */
export function timersIn(keys: ReadonlyMap<string, ReadonlyMap<string, Kept>>, isOwn: (key: Buffer) => boolean): OneTimer[] {
  return [...keys].flatMap(([key, states]) => {
    const bytes = Buffer.from(key, 'latin1');
    const kept = states.get('@timers');
    if (!(kept instanceof Map) || !isOwn(bytes)) return [];
    return [...kept.keys()].map((name: string): OneTimer => {
      const [domain = '', time] = name.split(' ');
      return { key: bytes, domain: domain as Domain, timeMs: Number(time) };
    });
  });
}

/** Of those that are due the first: event time first, then by time, key group and the key's bytes. */
export function leastDue(
  keys: ReadonlyMap<string, ReadonlyMap<string, Kept>>,
  { afterMs, processingMs }: TimeTold,
  { keyGroupOf }: Pick<Told, 'keyGroupOf'>,
  isOwn: (key: Buffer) => boolean,
): OneTimer | undefined {
  const isDue = ({ domain, timeMs }: OneTimer) => timeMs <= (domain === 'event' ? (afterMs ?? Number.NEGATIVE_INFINITY) : processingMs);
  const [least] = timersIn(keys, isOwn)
    .filter(isDue)
    .sort(
      (one, other) =>
        Number(one.domain === 'processing') - Number(other.domain === 'processing') ||
        one.timeMs - other.timeMs ||
        keyGroupOf(one.key) - keyGroupOf(other.key) ||
        Buffer.compare(one.key, other.key),
    );
  return least;
}
