import { useRef } from 'preact/hooks';
import { Confirmed } from '../actions.ts';
import { html, type View } from '../html.ts';
import type { PanelProps } from '../props.ts';
import { type Change, changesIn, type ScaledStage as Stage } from '../scale-changes.ts';
import { Note, Table } from '../shown.ts';
import { moment, plural } from '../text.ts';

export function Scale({ job, epochs }: PanelProps): View {
  const { scale, rescale, standing } = job.status;
  if (scale === null) return html`<${Note} is="none" why="no coordinator has said yet which stages the job has" />`;
  const stages = Object.entries(scale).map(([stage, of]): Stage => ({ stage, ...of }));
  const askedOf = (stage: string) => (Object.hasOwn(rescale, stage) ? rescale[stage] : undefined);
  const canAsk = job.actions && (standing === 'running' || standing === 'dead') && stages.some(({ least, most }) => least < most);
  return html`
    <${Table} caption="Subtasks of each stage" rows=${stages} empty="" columns=${[
      { title: 'stage', cell: ({ stage }: Stage) => stage },
      { title: 'subtasks', as: 'number', cell: ({ subtasks }: Stage) => subtasks },
      { title: 'may have', cell: ({ least, most }: Stage) => (least === most ? `${least}, always` : `${least} to ${most}`) },
      { title: 'by hand', cell: ({ stage }: Stage) => askedOf(stage) ?? 'no' },
      ...(canAsk
        ? [{ title: '', cell: (of: Stage) => of.least < of.most && html`<${Rescale} of=${of} asked=${askedOf(of.stage)} />` }]
        : []),
    ]} />
    ${stages.every(({ least, most }) => least === most) && html`<p class="quiet">Each stage has a fixed number. With ONCEFLOW_PARALLELISM=1..16 a job is deployed that may have more or fewer.</p>`}
    <h2>What has changed, and why</h2>
    <${Table} caption="In the epochs that are kept, the newest first" rows=${changesIn(stages, epochs?.epochs ?? [])} empty="Nothing has." columns=${[
      { title: 'from epoch', as: 'number', cell: ({ epoch }: Change) => epoch },
      { title: 'at', as: 'moment', cell: ({ atMs }: Change) => moment(atMs) },
      { title: 'stage', cell: ({ stage }: Change) => stage },
      { title: 'subtasks', cell: ({ from, to }: Change) => (from === null ? `to ${to}` : `${from} → ${to}`) },
      { title: 'why', cell: ({ why }: Change) => why },
    ]} />
  `;
}

function Rescale({ of, asked }: { readonly of: Stage; readonly asked: number | undefined }): View {
  const wanted = useRef<HTMLInputElement>(null);
  const { stage, subtasks, least, most } = of;
  const auto =
    asked !== undefined &&
    html`<${Confirmed} label="As it takes…" title=${`Let ${stage} have as many subtasks as it takes?`} action="rescale" command=${`rescale ${stage}=auto`} confirm="Take it back" body=${() => ({ stage, subtasks: 'auto' })}>
    <p>It has ${plural(subtasks, 'subtask')} now, by hand.</p>
  <//>`;
  return html`<div class="buttons"><${Confirmed} label="Rescale…" title=${`Other subtasks for ${stage}?`} action="rescale" command=${`rescale ${stage}=NUMBER`} confirm="Ask for it" body=${() => (wanted.current?.reportValidity() === true ? { stage, subtasks: wanted.current.valueAsNumber } : undefined)}>
    <p>It has ${plural(subtasks, 'subtask')} now, and may have ${least} to ${most}. What is asked for counts from the next epoch on, and stays, also through restarts, until it is taken back.</p>
    <label>Subtasks <input ref=${wanted} type="number" min=${least} max=${most} defaultValue=${subtasks} required /></label>
  <//>${auto}</div>`;
}
