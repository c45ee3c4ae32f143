import { duration } from '../../../lib/inspect/duration.ts';
import type { VisiblePartition } from '../../../lib/inspect/visible.ts';
import type { ShownTransaction, TransactionsShown } from '../../server/panels.ts';
import { html, type View } from '../html.ts';
import { Share, Shown, Table } from '../shown.ts';
import { number, plural } from '../text.ts';
import { usePanel } from '../use-panel.ts';

const EVERY_MS = 2_000;

export function Transactions(): View {
  const reading = usePanel('transactions', EVERY_MS);
  return html`<${Shown} reading=${reading} view=${(found: TransactionsShown) => html`<${Found} found=${found} />`} />`;
}

function Found({ found }: { readonly found: TransactionsShown }): View {
  const { transactions, visible, heldUpByForgotten, heldUpByOthers } = found;
  const open = transactions.filter(({ openness }) => openness !== 'over').length;
  const most = Math.max(1, ...visible.map(({ committed, uncommitted }) => uncommitted - committed));
  return html`
    <section aria-labelledby="readers"><h2 id="readers">What readers of the output see</h2>
      <p>${waitText(found)}</p>
      ${heldUpByForgotten.length > 0 && html`<p class="note unknown">${heldUpByForgotten.join(', ')}: held up by records of this job whose end a broker forgot (KAFKA-20734): a coordinator that runs ends them within a minute, or the next start, stop or cancel.</p>`}
      ${heldUpByOthers.length > 0 && html`<p class="note unknown">${heldUpByOthers.join(', ')}: held up by a transaction that is not this job's.</p>`}
      <${Table} caption="Offsets, with a control record for each transaction" rows=${visible} empty="the job has written to no topic yet" columns=${[
        { title: 'partition', cell: ({ topic, partition }: VisiblePartition) => `${topic}-${partition}` },
        { title: 'read_committed up to', as: 'number', cell: ({ committed }: VisiblePartition) => number(committed) },
        { title: 'read_uncommitted up to', as: 'number', cell: ({ uncommitted }: VisiblePartition) => number(uncommitted) },
        {
          title: 'not yet committed',
          as: 'number',
          cell: ({ committed, uncommitted }: VisiblePartition) => number(uncommitted - committed),
        },
        {
          title: '',
          cell: ({ committed, uncommitted, topic, partition }: VisiblePartition) =>
            html`<${Share} of=${uncommitted - committed} whole=${most} label=${`not yet committed in ${topic}-${partition}`} />`,
        },
      ]} />
    </section>
    <section aria-labelledby="ids"><h2 id="ids">${open} of ${plural(transactions.length, 'transaction')} open</h2>
      <${Table} caption="By transactional id" rows=${transactions} empty="the job has no transactional ids yet" columns=${[
        { title: 'transactional id', cell: ({ transactionalId }: ShownTransaction) => html`<code>${transactionalId}</code>` },
        { title: 'state', cell: ({ state, openness }: ShownTransaction) => `${openness === 'over' ? '' : '◐ '}${state}` },
        { title: 'open for', as: 'number', cell: ({ openForMs }: ShownTransaction) => (openForMs === null ? '' : duration(openForMs)) },
        {
          title: 'in the log',
          cell: ({ lastEpoch }: ShownTransaction) => (lastEpoch === null ? '' : `epoch ${lastEpoch.epoch} ${lastEpoch.fate}`),
        },
        { title: 'holds up', cell: ({ holdsUp }: ShownTransaction) => (holdsUp.length === 0 ? '' : `▲ ${holdsUp.join(', ')}`) },
        { title: 'who ends it', cell: ({ meaning }: ShownTransaction) => meaning },
      ]} />
    </section>
  `;
}

function waitText({ isRun, readersHeldUp }: TransactionsShown): string {
  if (readersHeldUp.length === 0) return 'No reader waits for longer than an epoch takes.';
  const where = plural(readersHeldUp.length, 'partition');
  return isRun
    ? `In ${where} readers of committed data wait for the epoch that is under way.`
    : `In ${where} readers of committed data wait, and nobody runs the job.`;
}
