import { duration } from '../../lib/inspect/duration.ts';
import { endText } from '../../lib/inspect/end-text.ts';
import {
  type HeldPartition,
  type InspectedTransaction,
  type JobTransactions,
  partitionName,
  readTransactions,
} from '../../lib/inspect/transactions.ts';
import { type CommandResult, command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { noSuchJob } from '../no-such-job.ts';
import { paint, plural, tableOf } from '../text.ts';

export default command({
  name: 'transactions',
  usage: "the job's transactional ids as Kafka sees them; what holds up readers",
  options: {},
  examples: [{ call: 'transactions --job word-count', does: 'exit code 6 when one that nobody ends holds up readers' }],
  async run(tools) {
    const found = await readTransactions(tools);
    return found === undefined ? noSuchJob(tools) : transactionsResult(found);
  },
});

/** What of it is printed: who ends a transaction, in words. */
type Line = Omit<InspectedTransaction, 'endsBy'> & { readonly meaning: string };

export function transactionsResult({ isRun, ...found }: JobTransactions): CommandResult {
  const transactions = found.transactions.map(({ endsBy, ...transaction }): Line => ({ ...transaction, meaning: endText(endsBy) }));
  const isHeldUp = !isRun && (transactions.some(({ holdsUp }) => holdsUp.length > 0) || found.heldUpByForgotten.length > 0);
  return { code: isHeldUp ? EXIT.heldUp : EXIT.ok, json: { ...found, transactions }, text: textOf(found, transactions) };
}

type Shown = Omit<JobTransactions, 'isRun'>;

function textOf(found: Shown, lines: readonly Line[]): string {
  if (lines.length === 0) return `job ${found.job} has no transactional ids yet`;
  const rows = lines.map(({ transactionalId, state, openForMs, lastEpoch, holdsUp, meaning }) => [
    transactionalId,
    state,
    openForMs === null ? '' : duration(openForMs),
    lastEpoch === null ? '' : `epoch ${lastEpoch.epoch} ${lastEpoch.fate}`,
    holdsUp.length > 0 ? `HOLDS UP READERS of ${holdsUp.join(', ')}${meaning === '' ? '' : `; ${meaning}`}` : meaning,
  ]);
  const [head = '', ...body] = tableOf(COLUMNS, rows).split('\n');
  const painted = body.map((text, at) => {
    const line = lines[at];
    if (line === undefined || line.openness === 'over') return text;
    return paint(line.holdsUp.length > 0 ? ['bold', 'red'] : 'yellow', text);
  });
  return [head, ...painted, '', summaryOf(found, lines)].join('\n');
}

const COLUMNS = [
  { title: 'transactional id' },
  { title: 'state' },
  { title: 'open for', align: 'right' },
  { title: 'in the log' },
  { title: '' },
] as const;

function summaryOf({ readersHeldUp, heldUpByForgotten, heldUpByOthers }: Shown, lines: readonly Line[]): string {
  const open = lines.filter(({ openness }) => openness !== 'over').length;
  const forgotten =
    heldUpByForgotten.length > 0
      ? [
          `  ${heldUpByForgotten.join(', ')}: held up by records of this job whose end a broker forgot (KAFKA-20734): a coordinator that runs ends them within a minute, or the next start, stop or cancel`,
        ]
      : [];
  const others = heldUpByOthers.length > 0 ? [`  ${heldUpByOthers.join(', ')}: held up by a transaction that is not this job's`] : [];
  return [
    `${open} of ${plural(lines.length, 'transaction')} open${readersHeldUp.length === 0 ? '; no reader is held up' : '; held up:'}`,
    ...readersHeldUp.map(heldText),
    ...forgotten,
    ...others,
  ].join('\n');
}

function heldText(held: HeldPartition): string {
  const { lastStableOffset, highWatermark } = held;
  const behind = plural(highWatermark - lastStableOffset, 'offset');
  return `  ${partitionName(held)}: readers of committed data stop at ${lastStableOffset}, ${behind} before the end`;
}
