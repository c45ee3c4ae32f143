import { compilePlan } from '../../../lib/plan/compile.ts';
import type { FunctionInvoker } from '../../../lib/ports/function-invoker.ts';
import type { OperatorRequest, SinkRequest, SourceRequest } from '../../../lib/protocol/requests.ts';
import { openSpilledRows } from '../../../lib/sqlite/sqlite-spilled-rows.ts';
import { received } from '../../../lib/stages/received.ts';
import { createOperatorServer, createSourceServer, refusalOf, serveSink } from '../../../lib/stages/serve.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Handler } from '../models/functions.ts';
import { onFailingDisk } from '../models/local-disk.ts';
import { answerWithOtherNames, withOtherNames } from '../models/other-names.ts';
import { type Build, DEAD_LETTER_TOPIC } from '../sim-job.ts';
import type { World } from '../world.ts';
import { carryOf, portsOf } from './ports.ts';

/** What `functions/` does in a process. */
export function handlerOf(world: World, process: SimProcess): Handler {
  const { job, inlineBlobBytes, stateMemoryBytes, startingOffsets, userCode } = world.options;
  const build = process.build as Build;
  const defined = world.targets.bound(job.define(build, startingOffsets, world.code), carryOf(world, process, 'target'));
  const openRows = () => onFailingDisk(openSpilledRows(), () => world.diskFaultNow());
  const tools = {
    ...portsOf(world, process),
    job: defined,
    // Which coordinators leave records out differs: their requests say it.
    plan: compilePlan(defined, userCode === undefined ? undefined : DEAD_LETTER_TOPIC),
    build,
    inlineBlobBytes,
    stateBound: stateMemoryBytes === undefined ? undefined : { boundBytes: stateMemoryBytes, openRows },
  };
  const source = createSourceServer();
  const operator = createOperatorServer();
  return async (request) => {
    const asked = received(request as SourceRequest | OperatorRequest | SinkRequest, tools.clock.elapsedMs());
    const refusal = refusalOf(tools, asked);
    if (refusal !== undefined) return refusal;
    if (asked.ask === 'read') {
      const { kafka, answered } = world.checker.arrivals.watch(tools.kafka, asked);
      const answer = source({ ...tools, kafka }, asked);
      answer.then(answered, () => {});
      return answer;
    }
    if (asked.ask === 'process') return operator(tools, asked);
    if (asked.ask !== 'prepare' || asked.connector !== 'kafka' || build === 'a') return serveSink(tools, asked);
    return answerWithOtherNames(await serveSink({ ...tools, kafka: withOtherNames(tools.kafka) }, asked));
  };
}

/** Tells the checker which runs of a source's requests count. */
export function invokerFor(world: World, process: SimProcess): FunctionInvoker {
  const invoker = world.functions.invokerFor(process);
  return {
    invoke: (target, request, options) => {
      const answer = invoker.invoke(target, request, options);
      if (target.role === 'source')
        answer.then(
          (taken) => world.checker.arrivals.taken(request as SourceRequest, taken),
          () => {},
        );
      return answer;
    },
  };
}
