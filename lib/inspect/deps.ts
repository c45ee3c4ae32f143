import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { EpochStore } from '../ports/epoch-store.ts';
import type { KafkaRequests } from '../ports/kafka-requests.ts';

/** The job, and where it is looked up. Brokers and blobs are opened when they are asked for. */
export interface InspectDeps {
  readonly job: string;
  readonly epochs: EpochStore;
  readonly clock: Clock;
  readonly random: Random;
  kafka(): Promise<KafkaRequests>;
  blobStore(): Promise<BlobStore>;
}
