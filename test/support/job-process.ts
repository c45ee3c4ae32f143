import type { RunningJob } from '../../local/functions/run-job.ts';
import { runJob } from '../../local/functions/run-job.ts';
import type { FromJobProcess, ToJobProcess } from './job-run.ts';

/**
 * A job with all its functions as one process group, whose leader is this process: so that everything can be killed
 * at one instant, from outside or by a function itself (`fault-at.ts`). Ends with the test process.
 */
const tell = (message: FromJobProcess) => process.send?.(message);
let job: RunningJob | undefined;
/** A request that came before the job had been started. */
let isToStop = false;

process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'));
process.on('message', (message: ToJobProcess) => {
  if (message.ask === 'start') void start(message);
  if (message.ask === 'stop') {
    isToStop = true;
    void job?.stop();
  }
  if (message.ask === 'processes') tell({ is: 'processes', pids: Object.fromEntries(job?.processes() ?? []) });
});

async function start({ env, job: described, functions }: Extract<ToJobProcess, { readonly ask: 'start' }>): Promise<void> {
  try {
    job = await runJob({
      env,
      job: described,
      functions,
      onEvent: (event) => tell({ is: 'event', event }),
      onLog: (name, line) => tell({ is: 'log', name, line }),
      onCrash: (name, reason) => tell({ is: 'crash', name, reason: reason ?? '' }),
    });
    if (isToStop) void job.stop();
    tell({ is: 'ended', end: await job.ended });
  } catch (error) {
    tell({ is: 'ended', end: { end: 'refused', message: error instanceof Error ? error.message : String(error) } });
  }
  process.disconnect();
  process.exit();
}
