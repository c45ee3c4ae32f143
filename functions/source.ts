import { openKafkaStageHost } from '../host/process.ts';
import { serveStage } from '../host/serve-stage.ts';
import { createSourceServer } from '../lib/stages/serve.ts';

/** One epoch of one source subtask: Kafka in, exchange or staged output out. */
export const handler = serveStage(['read'], openKafkaStageHost, createSourceServer());
