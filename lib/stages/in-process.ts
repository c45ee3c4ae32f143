import type { FunctionInvoker } from '../ports/function-invoker.ts';
import type { KafkaRequests } from '../ports/kafka-requests.ts';
import type { SinkTargets } from '../ports/sink-targets.ts';
import { type AnyRequest, requestFault } from '../protocol/requests.ts';
import { received } from './received.ts';
import { createOperatorServer, createSourceServer, type StageTools, serveSink } from './serve.ts';

/** The functions of a job, in this process: they are warm as long as this lives. What goes to them and comes back is JSON, as in a deployment. */
export function stageFunctions(tools: StageTools & { readonly kafka: KafkaRequests; readonly targets: SinkTargets }): FunctionInvoker {
  const serveSource = createSourceServer();
  const serveOperator = createOperatorServer();
  const serve = (request: AnyRequest): Promise<unknown> => {
    const atMs = tools.clock.elapsedMs();
    switch (request.ask) {
      case 'read':
        return serveSource(tools, received(request, atMs));
      case 'process':
        return serveOperator(tools, received(request, atMs));
      default:
        return serveSink(tools, received(request, atMs));
    }
  };
  return {
    async invoke(_target, payload) {
      const request = throughJson(payload);
      const fault = requestFault(request, ['read', 'process', 'prepare', 'commit', 'send', 'resolve', 'abort']);
      if (fault !== undefined) throw new Error(`what a stage was asked is no request: ${fault}`);
      return throughJson(await serve(request as AnyRequest));
    },
  };
}

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
