import { openSinkStageHost } from '../host/process.ts';
import { serveStage } from '../host/serve-stage.ts';
import { serveSink } from '../lib/stages/serve.ts';

/** Everything that is done by a sink's connector: prepare, commit, resolve, abort; or send. */
export const handler = serveStage(['prepare', 'commit', 'send', 'resolve', 'abort'], openSinkStageHost, serveSink);
