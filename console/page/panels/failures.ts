import { duration } from '../../../lib/inspect/duration.ts';
import type { InspectedEpoch } from '../../../lib/inspect/epochs.ts';
import { FailedAttempts, failuresOf } from '../failed-attempts.ts';
import { html, type View } from '../html.ts';
import type { PanelProps } from '../props.ts';
import { Table } from '../shown.ts';
import { moment, plural } from '../text.ts';

export function Failures({ job, epochs }: PanelProps): View {
  const { failure, noProgress } = job.status;
  const repeated = (epochs?.epochs ?? []).filter(({ attempts }) => attempts > 1).toReversed();
  return html`
    <section aria-labelledby="failure"><h2 id="failure">Why the job stopped</h2>
      ${failure === null ? html`<p>✓ It has not failed.</p>` : html`<p>✕ It waits for a person: mend the cause, then start it, or resume it for the next scheduled revival.</p><pre tabindex="0">${failure}</pre>`}
    </section>
    <section aria-labelledby="progress"><h2 id="progress">Why it makes no progress</h2>
      ${
        noProgress === null
          ? html`<p>✓ It makes progress, or has nothing to do.</p>`
          : html`<p>▲ Nothing was decided or committed for ${duration(job.nowMs - noProgress.sinceMs)} (since ${moment(noProgress.sinceMs)}), though there is something to do; ${noProgress.failuresInARow === 0 ? 'no attempt has failed' : `${plural(noProgress.failuresInARow, 'attempt')} in a row failed`}.</p>
          ${noProgress.lastError !== undefined && html`<pre tabindex="0">${noProgress.lastError}</pre>`}`
      }
    </section>
    <section aria-labelledby="attempts"><h2 id="attempts">Attempts that failed</h2>
      <${FailedAttempts} failures=${failuresOf({ job, epochs })} />
    </section>
    <section aria-labelledby="repeated"><h2 id="repeated">Epochs that took more than one attempt</h2>
      <${Table} caption="The newest first. The last three failures of each are above; all are in the coordinator's log (attempt-failed)" rows=${repeated} empty="Of the epochs that are kept none did." columns=${[
        { title: 'epoch', as: 'number', cell: ({ epoch }: InspectedEpoch) => epoch },
        { title: 'decided at', as: 'moment', cell: ({ decidedAtMs }: InspectedEpoch) => moment(decidedAtMs) },
        { title: 'attempts', as: 'number', cell: ({ attempts }: InspectedEpoch) => `▲ ${attempts}` },
      ]} />
    </section>
    <p class="quiet">Records that were left out, with their stacks, are under <a href="#letters">dead letters</a>.</p>
  `;
}
