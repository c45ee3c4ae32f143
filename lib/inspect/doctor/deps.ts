import type { Budget } from '../../config/budget.ts';
import type { KafkaClient } from '../../ports/kafka-checks.ts';
import type { DeliveryGuarantee } from '../../sinks/kind.ts';
import type { InspectDeps } from '../deps.ts';

/** What the looks at a job's surroundings work with. */
export interface DoctorDeps extends InspectDeps {
  kafka(): Promise<KafkaClient>;
  readonly settings: Budget & { readonly groupId: string; readonly deliveryGuarantee: DeliveryGuarantee };
  readonly topics: {
    /** As the job's module has them. Undefined: it is not there, and those in its row are looked at. */
    readonly ofModule: JobTopics | undefined;
    readonly deadLetterTopic: string | undefined;
  };
}

export interface JobTopics {
  readonly sources: readonly string[];
  readonly sinks: readonly string[];
  /** Undefined: records that cannot be processed stop the job. */
  readonly deadLetters: string | undefined;
}
