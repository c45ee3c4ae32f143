import { useState } from 'preact/hooks';
import type { StateSize } from '../../../lib/inspect/state-sizes.ts';
import type { LargeKey, LargestKeys } from '../../server/largest-keys.ts';
import type { PanelAnswers } from '../../server/panels.ts';
import { html, type View } from '../html.ts';
import { Share, Shown, Table } from '../shown.ts';
import { bytes, number, plural } from '../text.ts';
import { usePanel } from '../use-panel.ts';

const EVERY_MS = 5_000;

export function State(): View {
  const reading = usePanel('state', EVERY_MS);
  const [operator, setOperator] = useState<string | undefined>(undefined);
  return html`
    <${Shown} reading=${reading} view=${({ epoch, operators }: PanelAnswers['state']) => {
      const whole = operators.reduce((sum, each) => sum + each.bytes, 0);
      return html`
        <p>${bytes(whole)} after epoch ${epoch}, as they are stored: a base of each subtask, and what has changed since.</p>
        <${Table} caption="By operator" rows=${operators} empty="the job keeps no state" columns=${[
          { title: 'operator', cell: ({ uid }: StateSize) => uid },
          { title: 'subtasks', as: 'number', cell: ({ subtasks }: StateSize) => subtasks },
          { title: 'blobs', as: 'number', cell: ({ blobs }: StateSize) => number(blobs) },
          { title: 'size', as: 'number', cell: (each: StateSize) => bytes(each.bytes) },
          { title: '', cell: (each: StateSize) => html`<${Share} of=${each.bytes} whole=${whole} label=${`share of ${each.uid}`} />` },
          {
            title: '',
            cell: ({ uid }: StateSize) =>
              html`<button type="button" aria-label=${`largest keys of ${uid}`} onClick=${() => setOperator(uid)}>Largest keys</button>`,
          },
        ]} />`;
    }} />
    ${operator !== undefined && html`<${Keys} key=${operator} operator=${operator} />`}
  `;
}

/** Read when it is asked for: it takes blobs, and time. */
function Keys({ operator }: { readonly operator: string }): View {
  const reading = usePanel('keys', undefined, { operator });
  return html`<section aria-labelledby="keys"><h2 id="keys">Largest keys of ${operator}</h2>
    <${Shown} reading=${reading} view=${({ epoch, entries, isPart, keys }: LargestKeys) => html`
      <p>Of ${isPart ? `the first ${plural(entries, 'entry', 'entries')} that were read, which is a part of them` : plural(entries, 'entry', 'entries')}, after epoch ${epoch}.</p>
      <${Table} caption="By what their states hold, as JSON" rows=${keys} empty="it keeps nothing" columns=${[
        { title: 'key', cell: ({ key }: LargeKey) => html`<code class="lines">${key}</code>` },
        { title: 'characters', as: 'number', cell: ({ characters }: LargeKey) => number(characters) },
        {
          title: '',
          cell: ({ key, characters }: LargeKey) =>
            html`<${Share} of=${characters} whole=${keys[0]?.characters ?? 1} label=${`size of ${key}`} />`,
        },
      ]} />`} />
  </section>`;
}
