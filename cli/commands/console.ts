import { stripVTControlCharacters } from 'node:util';
import type { ConsoleDeps } from '../../console/server/deps.ts';
import { explainError } from '../../host/explain-error.ts';
import { parameters } from '../../lib/config/parameters.ts';
import { JobFailedError, LeftToNextError } from '../../lib/epoch/coordinator/context.ts';
import { stateOwners } from '../../lib/replay/state-of.ts';
import { readArguments } from '../arguments.ts';
import { command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { flag, portNumber } from '../options.ts';
import { printsAside } from '../prints-aside.ts';
import type { CommandTools } from '../tools.ts';
import rescale from './rescale.ts';
import resume from './resume.ts';
import savepoint from './savepoint.ts';
import stop from './stop.ts';

/** What the page may have done: nothing that asks, and nothing that deletes. */
const ACTIONS = [stop, resume, savepoint, rescale];

export default command({
  name: 'console',
  usage:
    'a page about the job in your browser: its graph, epochs, lag, transactions, state, failures; stop, resume, savepoint, rescale from it',
  more: `Served to this machine alone, at 127.0.0.1, to whoever has the address that it prints: the token in it is new each time. It reads table, blobs and
brokers with the credentials of this process, and nobody else is asked. With the job's module (${parameters.job.variable}, or --job ./PATH) it knows what flows between the stages, and the
keys. A page that is not looked at asks for nothing. Ends by Ctrl-C.`,
  options: {
    port: portNumber('listen there (default one that is free)'),
    'read-only': flag('show, and do nothing: the page has no buttons then'),
  },
  json: 'one JSON object, with the address, as soon as it listens',
  examples: [
    { call: 'console --job word-count', does: 'prints an address; open it in a browser of this machine' },
    { call: 'console --job ./src/job.ts --read-only', does: 'with the graph of the module, for somebody who is only to look' },
  ],
  async run(tools, { port = 0, 'read-only': readOnly }) {
    const [{ interruptions }, { serveConsole }] = await Promise.all([
      import('../../dev/interruptions.ts'),
      import('../../console/server/serve.ts'),
    ]);
    const { signal } = interruptions(tools.say);
    const server = await serveConsole(depsOf(tools, readOnly), port, explained);
    tools.show(
      tools.json
        ? JSON.stringify({ job: tools.job, address: server.address })
        : `the console of job ${tools.job} is at\n\n    ${server.address}\n\nfor a browser of this machine; Ctrl-C ends it`,
    );
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await server.close();
    return { code: EXIT.ok, json: undefined, text: '' };
  },
});

function depsOf(tools: CommandTools, readOnly: boolean): ConsoleDeps {
  const { config, configured } = tools;
  return {
    ...tools,
    table: config.table,
    module: moduleOf(tools),
    deadLetterTopic: config.deadLetterTopic,
    async owners() {
      const loaded = await printsAside(configured);
      return loaded === undefined ? undefined : stateOwners(loaded.job);
    },
    act: readOnly ? undefined : (call) => act(tools, call),
  };
}

/** In a process of its own, and once: the page is there all the same if it cannot be loaded. */
function moduleOf({ module }: CommandTools): ConsoleDeps['module'] {
  try {
    const job = module();
    return job === undefined ? undefined : { is: 'loaded', job };
  } catch (error) {
    return { is: 'broken', why: explained(error) };
  }
}

/** What the command does, and says, that a person would have called. */
async function act(tools: CommandTools, call: readonly string[]): ReturnType<NonNullable<ConsoleDeps['act']>> {
  tools.say(`asked for on the page: onceflow ${call.join(' ')}`);
  const { command: asked, given, values } = readArguments(ACTIONS, call);
  if (asked?.on !== 'job') throw new Error(`${call.join(' ')} is no action`);
  const { code, text } = await asked.run(tools, values(), given);
  return { is: code === EXIT.ok ? 'done' : 'failed', text: stripVTControlCharacters(text) };
}

function explained(error: unknown): string {
  if (error instanceof JobFailedError || error instanceof LeftToNextError) return error.message;
  return explainError(error).message;
}
