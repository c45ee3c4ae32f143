import { useState } from 'preact/hooks';
import { duration } from '../../../lib/inspect/duration.ts';
import type { InspectedEpoch } from '../../../lib/inspect/epochs.ts';
import { standingOf } from '../epochs.ts';
import { html, type View } from '../html.ts';
import type { PanelProps } from '../props.ts';
import { Note, Table } from '../shown.ts';
import { moment, number, plural } from '../text.ts';
import { TimelineView } from '../timeline-view.ts';
import { UnderWayView } from '../under-way.ts';

const PAGE = 50;

export function Epochs({ job, epochs }: PanelProps): View {
  const [page, setPage] = useState(0);
  if (epochs === undefined) return html`<p class="quiet" role="status">Reading…</p>`;
  const { epochs: all } = epochs;
  if (all.length === 0) return html`<${UnderWayView} job=${job} /><${Note} is="none" why="the job has completed no epoch yet" />`;
  const stages = job.graph.stages.map(({ id }) => id);
  const pages = Math.ceil(all.length / PAGE);
  const shown = all.toReversed().slice(page * PAGE, (page + 1) * PAGE);
  return html`
    <${TimelineView} epochs=${all} stages=${stages} nowMs=${job.nowMs} />
    <${UnderWayView} job=${job} />
    <${Table} caption=${`The newest ${plural(all.length, 'epoch')} whose rows are there`} rows=${shown} empty="" columns=${[
      { title: 'epoch', as: 'number', cell: ({ epoch }: InspectedEpoch) => epoch },
      { title: 'decided at', as: 'moment', cell: ({ decidedAtMs }: InspectedEpoch) => moment(decidedAtMs) },
      { title: 'took', as: 'number', cell: ({ durationMs }: InspectedEpoch) => duration(durationMs) },
      { title: 'attempts', as: 'number', cell: ({ attempts }: InspectedEpoch) => (attempts > 1 ? `▲ ${attempts}` : attempts) },
      { title: 'records in', as: 'number', cell: ({ recordsIn }: InspectedEpoch) => number(recordsIn) },
      { title: 'records out', as: 'number', cell: ({ recordsOut }: InspectedEpoch) => number(recordsOut) },
      ...stages.map((stage) => ({ title: stage, as: 'number', cell: (epoch: InspectedEpoch) => stageText(epoch, stage) })),
      { title: 'is', cell: ({ epoch }: InspectedEpoch) => standingOf(epochs, epoch) },
    ]} />
    ${
      pages > 1 &&
      html`<div class="buttons">
      <button type="button" disabled=${page === 0} onClick=${() => setPage(page - 1)}>newer</button>
      <button type="button" disabled=${page >= pages - 1} onClick=${() => setPage(page + 1)}>older</button>
      <span class="quiet">page ${page + 1} of ${pages}</span>
    </div>`
    }
  `;
}

function stageText({ stages = {} }: InspectedEpoch, stage: string): string {
  const ms = Object.hasOwn(stages, stage) ? stages[stage]?.ms : undefined;
  return ms === undefined ? '' : duration(ms);
}
