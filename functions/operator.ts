import { openStageHost } from '../host/process.ts';
import { serveStage } from '../host/serve-stage.ts';
import { createOperatorServer } from '../lib/stages/serve.ts';

/** One epoch of one operator subtask: its part of the exchange in, state changed, staged output or an exchange out. */
export const handler = serveStage(['process'], openStageHost, createOperatorServer());
