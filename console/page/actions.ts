import type { JobShown } from '../server/panels.ts';
import { type Asked, openDialog } from './dialog.ts';
import { html, type View } from './html.ts';

/** What the buttons of the head do: what fits how the job stands. */
export function Actions({ job }: { readonly job: JobShown }): View {
  if (!job.actions) return html`<div class="actions"><span class="quiet">read only</span></div>`;
  const { standing, desired, job: name } = job.status;
  const isToRun = desired === 'running' && standing !== 'failed';
  return html`<div class="actions">
    ${
      isToRun &&
      html`<${Confirmed} label="Stop…" title=${`Stop job ${name}?`} action="stop" body=${() => ({})} command="stop" confirm="Stop it" isGrave=${true}>
      <p>It finishes and commits what it has begun, and leaves no transaction open. A start goes on from there, nothing is lost.</p>
    <//>`
    }
    ${
      !isToRun &&
      html`<${Confirmed} label="Resume…" title=${`Let job ${name} run again?`} action="resume" body=${() => ({})} command="resume" confirm="Resume it">
      <p>${standing === 'failed' ? 'Its failure is cleared: mend the cause before. ' : ''}This starts nothing by itself: the next tick of its schedule revives it, or whoever runs its coordinator.</p>
    <//>`
    }
  </div>`;
}

/** A button that asks first: what will happen, and what a person would type for it. */
export function Confirmed({ label, ...asked }: Asked & { readonly label: string }): View {
  return html`<button type="button" class=${asked.isGrave === true ? 'grave' : ''} onClick=${() => openDialog(asked)}>${label}</button>`;
}
