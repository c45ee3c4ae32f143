import type { AbortAnswer, CommitAnswer, PrepareAnswer, ResolveAnswer, SinkRequest } from '../lib/stages/requests.ts';
import { abortSink, commitSink, prepareSink, resolveSink } from '../lib/stages/sink.ts';
import { serveStage, wireWithKafka } from './serve-stage.ts';

/** Everything that is done to a sink's transactions: prepare, commit, resolve, abort. */
export const handler = serveStage(wireWithKafka, (tools, request: SinkRequest): Promise<PrepareAnswer | CommitAnswer | ResolveAnswer | AbortAnswer> => {
  switch (request.ask) {
    case 'prepare':
      return prepareSink(tools, request);
    case 'commit':
      return commitSink(tools, request);
    case 'resolve':
      return resolveSink(tools, request);
    case 'abort':
      return abortSink(tools, request);
  }
});
