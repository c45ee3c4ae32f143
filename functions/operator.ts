import { createOperatorServer } from '../lib/stages/serve.ts';
import { serveStage, wireStage } from './serve-stage.ts';

/** One epoch of one operator subtask: its part of the exchange in, state changed, staged output or an exchange out. */
export const handler = serveStage(['process'], wireStage, createOperatorServer());
