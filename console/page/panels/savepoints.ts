import { useRef } from 'preact/hooks';
import type { PanelAnswers } from '../../server/panels.ts';
import { Confirmed } from '../actions.ts';
import { html, type View } from '../html.ts';
import type { PanelProps } from '../props.ts';
import { Shown, Table } from '../shown.ts';
import { moment, number } from '../text.ts';
import { usePanel } from '../use-panel.ts';

const EVERY_MS = 3_000;

export function Savepoints({ job }: PanelProps): View {
  const reading = usePanel('savepoints', EVERY_MS);
  const name = useRef<HTMLInputElement>(null);
  const canBeMade = job.actions && job.status.lastCompleted !== null;
  return html`
    <p>A savepoint keeps the state and the offsets of an epoch that is committed, for as long as it is there. <code>onceflow start --from NAME</code> begins with one.</p>
    ${
      canBeMade &&
      html`<div class="buttons"><${Confirmed} label="Make a savepoint…" title="Keep where the job is now?" action="savepoint" command="savepoint create NAME" confirm="Make it" body=${() => (name.current?.reportValidity() === true ? { name: name.current.value } : undefined)}>
      <p>Of the newest epoch that is committed. It copies nothing, and the job goes on.</p>
      <label>Name <input ref=${name} required maxlength="100" autocomplete="off" spellcheck=${false} /></label>
    <//></div>`
    }
    <${Shown} reading=${reading} view=${(savepoints: readonly Listed[]) => html`
      <${Table} caption="Savepoints of this job" rows=${savepoints} empty="It has none." columns=${[
        { title: 'name', cell: ({ name: called }: Listed) => called },
        { title: 'is', cell: standingText },
        { title: 'epoch', as: 'number', cell: ifReadable(({ epoch }) => number(epoch)) },
        { title: 'made at', as: 'moment', cell: ifReadable(({ createdAtMs }) => moment(createdAtMs)) },
        { title: 'of incarnation', cell: ifReadable(({ incarnation }) => html`<code>${incarnation}</code>`) },
        { title: 'key groups', as: 'number', cell: ifReadable(({ maxParallelism }) => maxParallelism) },
      ]} />`} />
  `;
}

/** One that this build cannot read has a name, and why. */
type Listed = PanelAnswers['savepoints'][number];
type Readable = Exclude<Listed, { readonly standing: 'unreadable' }>;

function standingText(savepoint: Listed): string {
  if (savepoint.standing === 'unreadable') return `▲ unreadable: ${savepoint.why}`;
  return savepoint.standing === 'complete' ? '✓ complete' : `◐ ${savepoint.standing}`;
}

function ifReadable(cell: (savepoint: Readable) => View): (savepoint: Listed) => View {
  return (savepoint) => (savepoint.standing === 'unreadable' ? '' : cell(savepoint));
}
