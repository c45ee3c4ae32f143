import { availableParallelism } from 'node:os';
import { plainCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { maybeNumber, named, portNumber, wholeNumber } from '../options.ts';

const PORT = 8080;
const HOST = '127.0.0.1';
const DRAIN_S = 25;

export default plainCommand({
  name: 'worker',
  usage: 'serves the functions of every stage of a job over HTTP until it is told to end: what "onceflow run" calls with ONCEFLOW_WORKERS',
  more: `The job is MODULE, or what ONCEFLOW_JOB names, or ./src/job.ts, with the same ONCEFLOW_… variables as at "onceflow run". Other machines may ask only with a token
(ONCEFLOW_WORKER_TOKEN_FILE) and over TLS (ONCEFLOW_WORKER_CERT_FILE, ONCEFLOW_WORKER_KEY_FILE). GET /health answers 200 when it takes work. SIGTERM lets it
answer what is under way, and end. Logs are JSON lines on standard output.`,
  arguments: { takes: '[MODULE]', most: 1 },
  json: 'the same',
  options: {
    port: portNumber(`where it listens (default ${PORT})`),
    host: named('HOST', `the address that it listens on (default ${HOST}, which other machines do not reach)`),
    processes: maybeNumber({ takes: 'N', help: 'for functions: each uses one processor (default one for each)' }),
    drain: wholeNumber({ takes: 'S', default: DRAIN_S, help: 'at the end, what is under way has so many seconds' }),
  },
  examples: [
    {
      call: 'worker src/job.ts --port 8081',
      does: 'a worker for "onceflow run" on the same machine: ONCEFLOW_WORKERS=http://127.0.0.1:8081',
    },
    { call: 'worker --host 0.0.0.0 --port 8443', does: 'one for other machines, with a token and TLS' },
  ],
  async run({ env }, { port = PORT, host = HOST, processes = availableParallelism(), drain }, [module]) {
    const [{ moduleOf }, { worker }] = await Promise.all([import('../../dev/job-module.ts'), import('../../workers/worker.ts')]);
    await worker({ env: { ...env, ONCEFLOW_JOB: moduleOf(module, env, 'worker') }, port, host, processes, drainMs: drain * 1_000 });
    return { code: EXIT.ok, json: undefined, text: '' };
  },
});
