import { kindOf } from '../../ports/broker-answers.ts';
import type { TransactionRequests } from '../../ports/kafka-requests.ts';
import { checkCovered } from '../../protocol/permit.ts';
import { checkConnector } from '../check-connector.ts';
import type { DeliveredServer } from '../connector.ts';
import { mendOf } from '../kafka/answers.ts';
import { sendPlain } from '../kafka/send-staged.ts';
import { sectionsOf } from '../kafka/server.ts';
import { CONNECTOR } from './coordination.ts';
import { acknowledgedIn, doneOf } from './done.ts';

/** The half in the sink's function: staged output is sent to its topic as it is, outside of any transaction. */
export function serveWriteAhead(kafka: TransactionRequests): DeliveredServer {
  return {
    how: 'delivered',
    async deliver(until, permit, committable, { staged, done }) {
      checkConnector(committable, CONNECTOR);
      checkCovered(committable, permit);
      const acknowledged = acknowledgedIn(done);
      const sent = await sendPlain({ ...until, kafka }, await sectionsOf(staged), acknowledged);
      if (sent === 'all') return { outcome: 'delivered' };
      if (sent === 'partly') return { outcome: 'partly', done: doneOf(acknowledged) };
      const kind = kindOf(sent.answer);
      // It is decided: there is no smaller epoch to search in.
      const refused = kind === 'refused' || kind === 'record';
      const which = sent.refused === undefined ? '' : ` (${sent.refused})`;
      const message = `${sent.during} to sink ${committable.sink} was answered ${sent.answer}${which}${refused ? `: ${mendOf(sent.answer)}` : ''}`;
      return { outcome: 'failed', done: doneOf(acknowledged), kind: refused ? 'refused' : 'transient', message };
    },
  };
}
