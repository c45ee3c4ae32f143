import { rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { holderOfProcess } from '../../host/holder.ts';
import { logLine } from '../../host/log.ts';
import type { Term } from '../../host/run-coordinator.ts';
import { systemClock } from '../../host/system.ts';
import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import { leaveJobFolder } from './job-folder.ts';
import { socketOf } from './processes.ts';
import { createSocketInvoker } from './socket-invoker.ts';

// Not an import: that would load the whole web client with it, a quarter of the CPU time of a function's start.
const { createServer } = process.getBuiltinModule('node:http');

/**
 * A function as a process of this machine: `child.ts <role> <socket> <each|one> <start kind> <stops asked for before it was first tried> <holders that have died…>`. Stage functions answer requests on the socket; one
 * of role `any` those of every role, which the path names, and tells its parent when it listens. The coordinator asks each at a process of its own, or all
 * at one, and runs until its parent says `stop`. Every function ends when its parent goes away, and none by a terminal's
 * signals: the parent stops the job in order.
 */
const [role = '', socket = '', asks = '', startKind = '', afterStops = '', ...deadHolders] = process.argv.slice(2);

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => {
  leaveJobFolder(dirname(socket), socket);
  process.exit(0);
});

if (role === 'coordinator') await runAsCoordinator();
else await serve(role, socket);

async function serve(module: string, path: string): Promise<void> {
  // One for every role loads what it is asked for first: what it is never asked for it does not open.
  const own = module === 'any' ? undefined : await loadHandler(module);
  rmSync(path, { force: true });
  const server = createServer(async (request, response) => {
    try {
      const { handler } = own ?? (await loadHandler((request.url ?? '').slice(1)));
      const answer = await handler(JSON.parse(await bodyOf(request)));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  });
  server.listen(path, () => {
    // A parent that is gone hears nothing, and this process ends.
    if (own === undefined) process.send?.('listens', undefined, undefined, () => {});
  });
}

/** By its own name each: a bundler follows these. */
function loadHandler(module: string): Promise<{ readonly handler: (event: unknown) => Promise<unknown> }> {
  if (module === 'source') return import('../../functions/source.ts');
  if (module === 'operator') return import('../../functions/operator.ts');
  return import('../../functions/sink.ts');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function runAsCoordinator(): Promise<void> {
  const { runCoordinator } = await import('../../host/run-coordinator.ts');
  const stop = new AbortController();
  process.on('message', (message) => {
    if (message === 'stop') stop.abort();
  });
  let hasEnded = false;
  const observe = (event: CoordinatorEvent) => {
    hasEnded ||= event.event === 'ended';
    process.send?.(event);
  };
  try {
    const end = await runCoordinator({
      invoker: () => createSocketInvoker((target) => socketOf(dirname(socket), target, asks === 'one' ? 'one' : 'each'), systemClock),
      observer: () => observe,
      stop: stop.signal,
      handOver: new AbortController().signal,
      ...termOf(holderOfProcess(process.pid)),
    });
    // One that found nothing to start has had nothing to tell.
    if (!hasEnded) observe({ event: 'ended', ...end });
    process.exitCode = end.end === 'failed' || end.end === 'refused' ? 1 : 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    logLine('error', message);
    observe({ event: 'ended', end: 'failed', message });
    process.exitCode = 1;
  }
  process.disconnect();
}

/** Undefined: it is the first that this start is tried with. */
function termOf(holder: string): { readonly term?: Term } {
  if (startKind === 'revival') return { term: { startKind, holder, deadHolders } };
  return afterStops === '' ? {} : { term: { startKind: 'explicit', holder, deadHolders, afterStops: Number(afterStops) } };
}
