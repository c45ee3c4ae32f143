import { byName } from '../config/by-name.ts';
import type { Late, LateByOperator } from '../protocol/event-time.ts';

/** What was late in each of these, together; undefined when nothing was. */
export function lateTogether(parts: Iterable<LateByOperator | undefined>): LateByOperator | undefined {
  const sums = new Map<string, Late>();
  for (const part of parts) {
    for (const [uid, { dropped, passedOn }] of Object.entries(part ?? {})) {
      const known = sums.get(uid) ?? { dropped: 0, passedOn: 0 };
      sums.set(uid, { dropped: known.dropped + dropped, passedOn: known.passedOn + passedOn });
    }
  }
  return sums.size === 0 ? undefined : byName(sums);
}

/** Of all operators. */
export function lateInAll(late: LateByOperator | undefined): Late {
  const each = Object.values(late ?? {});
  return {
    dropped: each.reduce((sum, { dropped }) => sum + dropped, 0),
    passedOn: each.reduce((sum, { passedOn }) => sum + passedOn, 0),
  };
}
