import { createSourceServer } from '../lib/stages/serve.ts';
import { serveStage, wireWithKafka } from './serve-stage.ts';

/** One epoch of one source subtask: Kafka in, exchange or staged output out. */
export const handler = serveStage(['read'], wireWithKafka, createSourceServer());
