import { byName } from '../config/by-name.ts';
import type { LateByOperator } from '../protocol/event-time.ts';
import type { Push } from '../records/push.ts';

interface Counter {
  readonly uid: string;
  readonly isRead: boolean;
  values: number;
}

/** Counts what came too late for the operators of a stage, in one epoch. */
export class LateValues {
  readonly #counters: Counter[] = [];

  /** What takes the late values of an operator: it counts them, and passes them on. @param isRead does anybody read them? */
  counted(uid: string, isRead: boolean, next: Push): Push {
    const counter: Counter = { uid, isRead, values: 0 };
    this.#counters.push(counter);
    return (value) => {
      counter.values++;
      next(value);
    };
  }

  begin(): void {
    for (const counter of this.#counters) counter.values = 0;
  }

  /** Since `begin`; undefined when nothing was late. */
  counts(): LateByOperator | undefined {
    const some = this.#counters.filter(({ values }) => values > 0);
    if (some.length === 0) return undefined;
    return byName(
      some.map(({ uid, isRead, values }) => [uid, isRead ? { dropped: 0, passedOn: values } : { dropped: values, passedOn: 0 }] as const),
    );
  }
}
