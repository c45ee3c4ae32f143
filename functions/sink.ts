import { openKafkaStageHost } from '../host/process.ts';
import { serveStage } from '../host/serve-stage.ts';
import { serveSink } from '../lib/stages/serve.ts';

/** Everything that is done to a sink's transactions: prepare, commit, resolve, abort. */
export const handler = serveStage(['prepare', 'commit', 'send', 'resolve', 'abort'], openKafkaStageHost, serveSink);
