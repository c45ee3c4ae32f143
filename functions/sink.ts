import type { AbortAnswer, CommitAnswer, PrepareAnswer, ResolveAnswer, SinkRequest } from '../lib/stages/requests.ts';
import { abortSink, commitSink, prepareSink, resolveSink } from '../lib/stages/sink.ts';
import { serveStage } from './serve-stage.ts';

/** Everything that is done to a sink's transactions: prepare, commit, resolve, abort. */
export const handler = serveStage<SinkRequest, PrepareAnswer | CommitAnswer | ResolveAnswer | AbortAnswer>((wiring, request) => {
  switch (request.ask) {
    case 'prepare':
      return prepareSink(wiring, request);
    case 'commit':
      return commitSink(wiring, request);
    case 'resolve':
      return resolveSink(wiring, request);
    case 'abort':
      return abortSink(wiring, request);
  }
});
