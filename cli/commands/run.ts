import { availableParallelism } from 'node:os';
import { plainCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { flag, maybeNumber, named, portNumber } from '../options.ts';

const HOST = '127.0.0.1';

export default plainCommand({
  name: 'run',
  usage:
    "runs a job's coordinator here until it is told to end, with its functions as processes of this machine or at workers; several stand by for each other",
  more: `The job is MODULE, or what ONCEFLOW_JOB names, or ./src/job.ts. One process works, and each other of the same job takes over when that one ends (at once)
or is gone (when its lease runs out, ONCEFLOW_LEASE_MS). What was stopped, or has failed, is left alone until "onceflow resume". With ONCEFLOW_WORKERS the
functions run at workers ("onceflow worker"). SIGTERM commits what is under way and hands over. Logs are JSON lines on standard output.`,
  arguments: { takes: '[MODULE]', most: 1 },
  json: 'the same',
  options: {
    start: flag('starts it also if it was stopped, has failed, or another process runs it: that one ends, nothing is lost'),
    port: portNumber('where GET /health and, with the package prom-client, GET /metrics are answered (default nowhere)'),
    host: named('HOST', `the address of that port (default ${HOST}, which other machines do not reach)`),
    processes: maybeNumber({ takes: 'N', help: 'for functions, without ONCEFLOW_WORKERS (default one for each processor)' }),
  },
  examples: [
    { call: 'run src/job.ts', does: 'coordinator and functions on one machine; the same on a second one stands by' },
    { call: 'run --start', does: 'the same, after a stop or a failure that is mended' },
  ],
  async run({ env }, { start: starts, processes = availableParallelism(), port, host = HOST }, [module]) {
    const [{ moduleOf }, { run }] = await Promise.all([import('../../dev/job-module.ts'), import('../../workers/run.ts')]);
    await run({
      env: { ...env, ONCEFLOW_JOB: moduleOf(module, env, 'run') },
      starts,
      processes,
      status: port === undefined ? undefined : { port, host },
    });
    return { code: EXIT.ok, json: undefined, text: '' };
  },
});
