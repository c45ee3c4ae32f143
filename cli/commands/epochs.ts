import { duration } from '../../lib/inspect/duration.ts';
import { type JobEpochs, readEpochs } from '../../lib/inspect/epochs.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import { wholeNumber } from '../options.ts';
import { instant, tableOf } from '../text.ts';

export default command({
  name: 'epochs',
  usage: 'the newest epochs: when, how long, how many attempts and records',
  options: { limit: wholeNumber({ takes: 'N', default: 20, help: 'show at most so many' }) },
  examples: [{ call: 'epochs --job word-count --limit 5', does: 'the newest five, the newest last' }],
  async run(tools, { limit }) {
    const found = await readEpochs(tools, limit);
    return found === undefined ? noSuchJob(tools) : epochsResult(found);
  },
});

export function epochsResult(found: JobEpochs): CommandResult {
  const rows = found.epochs.map((each) => [
    `${each.epoch}`,
    instant(each.decidedAtMs),
    duration(each.durationMs),
    `${each.attempts}`,
    `${each.recordsIn}`,
    `${each.recordsOut}`,
    each.standing,
  ]);
  return { code: EXIT.ok, json: found, text: rows.length === 0 ? `job ${found.job} has no epoch yet` : tableOf(COLUMNS, rows) };
}

const COLUMNS = [
  { title: 'epoch', align: 'right' },
  { title: 'decided at' },
  { title: 'took', align: 'right' },
  { title: 'attempts', align: 'right' },
  { title: 'records in', align: 'right' },
  { title: 'records out', align: 'right' },
  { title: 'is' },
] as const;
