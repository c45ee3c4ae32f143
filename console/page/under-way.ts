import { duration } from '../../lib/inspect/duration.ts';
import type { UnderWay } from '../../lib/ports/epoch-store.ts';
import type { JobShown } from '../server/panels.ts';
import { html, type View } from './html.ts';
import { Table } from './shown.ts';
import { moment } from './text.ts';

type Attempt = UnderWay['attempts'][number];

/** What the coordinator works on, as it said when it last renewed its lease. */
export function UnderWayView({ job }: { readonly job: JobShown }): View {
  const { nowMs, status } = job;
  const { underWay } = status;
  const attempts = underWay?.attempts ?? [];
  const saidMs = underWay?.atMs ?? nowMs;
  const none =
    status.standing === 'running' || status.standing === 'stopping'
      ? 'No epoch has been under way for long: what takes less than three seconds is below, a second after it was decided.'
      : 'Nobody runs the job.';
  return html`<section aria-labelledby="under-way"><h2 id="under-way">Under way</h2>
    <${Table} caption=${`As the coordinator said ${duration(nowMs - saidMs)} ago; it says so of an attempt after three to five seconds, then with each third of its lease`} rows=${attempts} empty=${none} columns=${[
      { title: 'epoch', as: 'number', cell: ({ epoch }: Attempt) => epoch },
      { title: 'attempt', as: 'number', cell: ({ attempt }: Attempt) => (attempt > 1 ? `▲ ${attempt}` : attempt) },
      { title: 'planned at', as: 'moment', cell: ({ plannedAtMs }: Attempt) => moment(plannedAtMs) },
      { title: 'phase', cell: ({ phase }: Attempt) => phase },
      { title: 'stages', cell: (attempt: Attempt) => stagesText(attempt, saidMs) },
    ]} />
  </section>`;
}

function stagesText({ stages, plannedAtMs }: Attempt, saidMs: number): View {
  const begun = Object.entries(stages);
  if (begun.length === 0) return 'none has begun';
  return html`<ul class="plain">${begun.map(([stage, { afterMs, ms }]) =>
    ms === undefined
      ? html`<li>◐ ${stage}, at work for ${duration(saidMs - plannedAtMs - afterMs)}</li>`
      : html`<li>✓ ${stage}, took ${duration(ms)}</li>`,
  )}</ul>`;
}
