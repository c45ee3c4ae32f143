import { useEffect, useState } from 'preact/hooks';
import { duration } from '../../lib/inspect/duration.ts';
import type { JobShown } from '../server/panels.ts';
import { Actions } from './actions.ts';
import { ask } from './ask.ts';
import { Dialogs } from './dialog.ts';
import { type Known, withNewer } from './epochs.ts';
import { html, type View } from './html.ts';
import { PANELS } from './panels.ts';
import { Note, Shown } from './shown.ts';
import { STANDINGS } from './standings.ts';
import { repeat, usePanel } from './use-panel.ts';

const JOB_EVERY_MS = 1_000;
const EPOCHS_EVERY_MS = 1_000;

export function App(): View {
  const reading = usePanel('job', JOB_EVERY_MS);
  const epochs = useEpochs();
  const [panel, setPanel] = useState(panelInAddress);
  useEffect(() => {
    const follow = () => setPanel(panelInAddress());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const { title, View: Panel } = panel;
  useEffect(() => {
    const status = reading.known?.of.status;
    document.title = `${status === undefined ? '' : `${status.job}: ${STANDINGS[status.standing].word}. `}${title}. Onceflow console`;
  });
  return html`
    <a class="skip" href="#main" onClick=${skip}>To the content</a>
    <header>
      <div class="brand">Onceflow <span>console</span></div>
      ${reading.known === undefined ? undefined : html`<${Head} job=${reading.known.of} />`}
    </header>
    <nav aria-label="What is shown">
      ${PANELS.map(({ id, title: name }) => html`<a href=${`#${id}`} aria-current=${id === panel.id ? 'page' : undefined}>${name}</a>`)}
    </nav>
    <main id="main" tabindex="-1">
      <h1>${title}</h1>
      <${Shown} reading=${reading} view=${(job: JobShown) => html`<${Panel} key=${panel.id} job=${job} epochs=${epochs.known} />`} />
      ${epochs.why === undefined || reading.answer?.is !== 'known' ? undefined : html`<${Note} is="unknown" why=${epochs.why} />`}
    </main>
    <${Dialogs} />
  `;
}

/** Not by the address: that is what panels are named by. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function panelInAddress(): (typeof PANELS)[number] {
  return PANELS.find(({ id }) => `#${id}` === location.hash) ?? PANELS[0];
}

/** Each time those that came since, so that a thousand epochs are read once. */
function useEpochs(): { readonly known: Known | undefined; readonly why: string | undefined } {
  const [state, setState] = useState<{ readonly known: Known | undefined; readonly why: string | undefined }>({
    known: undefined,
    why: undefined,
  });
  useEffect(() => {
    let known: Known | undefined;
    return repeat(async () => {
      const after = known?.epochs.at(-1)?.epoch;
      const answer = await ask('epochs', after === undefined ? {} : { after: `${after}` });
      return () => {
        const isAnew = answer.is === 'known' && known !== undefined && answer.of.incarnation !== known.incarnation;
        if (answer.is === 'none' || isAnew) known = undefined;
        else if (answer.is === 'known') known = withNewer(known, answer.of);
        setState({ known, why: answer.is === 'known' || answer.is === 'none' ? undefined : answer.why });
      };
    }, EPOCHS_EVERY_MS);
  }, []);
  return state;
}

function Head({ job }: { readonly job: JobShown }): View {
  const { status, nowMs } = job;
  const { sign, word, is } = STANDINGS[status.standing];
  const since = status.lastDecidedAtMs === null ? '' : `, ${duration(nowMs - status.lastDecidedAtMs)} ago`;
  return html`
    <div class="job"><strong>${status.job}</strong> <span class=${`badge ${is}`}><span aria-hidden="true">${sign}</span> ${word}</span>
      ${status.noProgress === null ? undefined : html`<span class="badge bad"><span aria-hidden="true">▲</span> no progress</span>`}
    </div>
    <div class="epoch">${status.lastCompleted === null ? 'no epoch yet' : `epoch ${status.lastCompleted}${since}`}</div>
    <${Actions} job=${job} />
  `;
}
