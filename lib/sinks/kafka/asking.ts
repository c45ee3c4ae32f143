import type { TransactionRequests } from '../../ports/kafka-requests.ts';
import type { Until } from '../connector.ts';

/** An exchange with Kafka: whom to ask, and until when. */
export interface Asking extends Until {
  readonly kafka: TransactionRequests;
}
