import { createOperatorRuntime } from '../lib/operators/operator-runtime.ts';
import { runOperator, type WarmOperator } from '../lib/stages/operator.ts';
import type { OperatorAnswer, OperatorRequest } from '../lib/stages/requests.ts';
import { serveStage, shapeOf } from './serve-stage.ts';
import { wireFunction } from './wiring.ts';

/** State that this process holds, by shape: stage, subtask and all that the runtime was built for. */
const warm = new Map<string, WarmOperator>();

/** One epoch of one operator subtask: its part of the exchange in, state changed, staged output or an exchange out. */
export const handler = serveStage(wireFunction, (tools, request: OperatorRequest, context): Promise<OperatorAnswer> => {
  const shape = shapeOf(request);
  const held = warm.get(shape) ?? { runtime: undefined, snapshotIds: {} };
  warm.set(shape, held);
  return runOperator(tools, held, () => createOperatorRuntime(tools.job, request.stage, context, request.subtask), request);
});
