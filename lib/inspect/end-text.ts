import { duration } from './duration.ts';
import type { EndsBy } from './transactions.ts';

/** Who will end a transaction, for people. Empty: it is over. */
export function endText(end: EndsBy): string {
  switch (end.by) {
    case 'is-over':
      return '';
    case 'broker':
      return 'the broker is ending it';
    case 'commit':
      return `epoch ${end.epoch}, decided: ${end.isUnderWay ? 'is being committed' : 'the next start or stop commits it'}`;
    case 'attempt':
      return 'an attempt under way';
    case 'whoever-is-next':
      return `left open, not decided: the next start, stop or cancel aborts it, or the broker in ${duration(end.brokerInMs)}`;
  }
}
