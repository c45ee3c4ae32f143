import { ofName } from '../../lib/config/by-name.ts';
import { isName } from '../../lib/config/names.ts';
import { UsageError } from '../../lib/config/usage-error.ts';
import { rescaleOf, type WantedSubtasks } from '../../lib/inspect/rescale.ts';
import { standingOf } from '../../lib/inspect/standing.ts';
import type { JobRow } from '../../lib/ports/epoch-store.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import { plural } from '../text.ts';
import type { Tools } from '../tools.ts';

const MOST_STAGES = 100;

export default command({
  name: 'rescale',
  usage: 'change how many subtasks stages have, while the job runs: from the next epoch on',
  more: 'Within the bounds that the job was deployed with (ONCEFLOW_PARALLELISM=1..16). What is asked for stays, also through restarts, until auto is asked for.',
  arguments: { takes: 'STAGE=NUMBER|STAGE=auto…', most: MOST_STAGES },
  options: {},
  examples: [
    { call: 'rescale count-words=8 --job word-count', does: 'eight subtasks, from the next epoch on' },
    { call: 'rescale count-words=auto --job word-count', does: 'as many as it takes, as before' },
  ],
  run: (tools, _values, given) => rescale(tools, wantedIn(given)),
});

/** @throws UsageError: that is no request */
function wantedIn(given: readonly string[]): WantedSubtasks {
  if (given.length === 0) throw new UsageError('which stage is to have how many subtasks? e.g. onceflow rescale count-words=8');
  const wanted = new Map<string, number | 'auto'>();
  for (const pair of given) {
    const [, stage = '', subtasks = ''] = /^([^=]*)=(auto|[1-9]\d{0,5})$/.exec(pair) ?? [];
    if (!isName(stage))
      throw new UsageError(`${JSON.stringify(pair)} is no request: it must be STAGE=NUMBER, a whole number from 1, or STAGE=auto`);
    if (wanted.has(stage)) throw new UsageError(`stage ${stage} is named twice: give it one number`);
    wanted.set(stage, subtasks === 'auto' ? subtasks : Number(subtasks));
  }
  return wanted;
}

/** Asks the coordinator that runs, by the job's row. It changes nothing by itself. */
async function rescale(tools: Tools, wanted: WantedSubtasks): Promise<CommandResult> {
  const { epochs, job, clock, random } = tools;
  const row = await epochs.readJob(job);
  if (row === undefined) return noSuchJob(tools);
  const step = rescaleOf(row, standingOf(row, clock.now()), wanted);
  if (step.outcome === 'refused')
    return {
      code: step.because === 'request' ? EXIT.usage : EXIT.failed,
      json: { job, outcome: 'refused', message: step.message },
      text: step.message,
    };
  const asked = { id: random.id(), subtasks: step.subtasks, askedAtMs: clock.now() };
  const written = await epochs.askRescale(job, row.incarnation, asked, row.rescale?.id);
  if (written === 'superseded') {
    const message = `somebody has rescaled, stopped or deleted job ${job} at the same time: nothing was changed; look at "onceflow status", and ask again`;
    return { code: EXIT.failed, json: { job, outcome: 'superseded', message }, text: message };
  }
  return { code: EXIT.ok, json: { job, outcome: 'asked', subtasks: asked.subtasks }, text: askedText(row, wanted) };
}

function askedText({ job, scale }: JobRow, wanted: WantedSubtasks): string {
  const changes = [...wanted].map(([stage, subtasks]) => {
    const present = plural(ofName(scale, stage)?.subtasks ?? 1, 'subtask');
    return subtasks === 'auto'
      ? `${stage}: ${present}, and as many as it takes from the next epoch on`
      : `${stage}: ${present}, and ${subtasks} from the next epoch on`;
  });
  return [`job ${job}: asked`, ...changes.map((line) => `  ${line}`)].join('\n');
}
