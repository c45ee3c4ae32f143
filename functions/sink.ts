import { serveSink } from '../lib/stages/serve.ts';
import { serveStage, wireWithKafka } from './serve-stage.ts';

/** Everything that is done to a sink's transactions: prepare, commit, resolve, abort. */
export const handler = serveStage(['prepare', 'commit', 'send', 'resolve', 'abort'], wireWithKafka, serveSink);
