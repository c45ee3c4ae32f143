import { useState } from 'preact/hooks';
import type { CountedKey, KeysShown } from '../../server/keys.ts';
import type { PanelAnswers } from '../../server/panels.ts';
import { html, type View } from '../html.ts';
import { Share, Shown, Table } from '../shown.ts';
import { bytes, number, plural } from '../text.ts';
import { usePanel } from '../use-panel.ts';

const EVERY_MS = 5_000;

type Operator = PanelAnswers['state']['operators'][number];

export function State(): View {
  const reading = usePanel('state', EVERY_MS);
  const [operator, setOperator] = useState<string | undefined>(undefined);
  return html`
    <${Shown} reading=${reading} view=${({ epoch, operators }: PanelAnswers['state']) => {
      const whole = operators.reduce((sum, each) => sum + each.bytes, 0);
      return html`
        <p>${bytes(whole)} after epoch ${epoch}, as they are stored: a base of each subtask, and what has changed since.</p>
        <${Table} caption="By operator" rows=${operators} empty="The job keeps no state." columns=${[
          { title: 'operator', cell: ({ uid }: Operator) => uid },
          { title: 'subtasks', as: 'number', cell: ({ subtasks }: Operator) => subtasks },
          { title: 'blobs', as: 'number', cell: ({ blobs }: Operator) => number(blobs) },
          { title: 'size', as: 'number', cell: (each: Operator) => bytes(each.bytes) },
          { title: '', cell: (each: Operator) => html`<${Share} of=${each.bytes} whole=${whole} label=${`share of ${each.uid}`} />` },
          { title: 'largest subtask', cell: largestText },
          {
            title: '',
            cell: ({ uid }: Operator) =>
              html`<button type="button" aria-label=${`keys of ${uid}`} onClick=${() => setOperator(uid)}>Keys</button>`,
          },
        ]} />`;
    }} />
    ${operator !== undefined && html`<${Keys} key=${operator} operator=${operator} />`}
  `;
}

function largestText({ subtasks, bytes: all, largestSubtask }: Operator): string {
  const { subtask, bytes: own } = largestSubtask;
  return subtasks < 2 ? '' : `${subtask}: ${bytes(own)}, ${number(own / Math.max(all / subtasks, 1))} times the mean`;
}

/** Read when it is asked for: it takes blobs, and time. */
function Keys({ operator }: { readonly operator: string }): View {
  const reading = usePanel('keys', undefined, { operator });
  return html`<${Shown} reading=${reading} view=${({ epoch, hottest, largest }: KeysShown) => html`
    <section aria-labelledby="hottest"><h2 id="hottest">Hottest keys of ${operator}</h2>
      <p>In how many epochs each has changed, of the ${plural(hottest.deltas, 'delta')} that the snapshots of epoch ${epoch} have behind their bases${hottest.isPart ? ', as far as they were read' : ''}.</p>
      <${KeyTable} caption="The hottest first" what="epochs" keys=${hottest.keys} />
    </section>
    <section aria-labelledby="largest"><h2 id="largest">Largest keys of ${operator}</h2>
      <p>Of ${largest.isPart ? `the first ${plural(largest.entries, 'entry', 'entries')} that were read, which is a part of them` : plural(largest.entries, 'entry', 'entries')}, after epoch ${epoch}.</p>
      <${KeyTable} caption="By what their states hold, as JSON" what="characters" keys=${largest.keys} />
    </section>`} />`;
}

function KeyTable({
  caption,
  what,
  keys,
}: {
  readonly caption: string;
  readonly what: string;
  readonly keys: readonly CountedKey[];
}): View {
  return html`<${Table} caption=${caption} rows=${keys} empty="There is none." columns=${[
    { title: 'key', cell: ({ key }: CountedKey) => html`<code class="lines">${key}</code>` },
    { title: what, as: 'number', cell: ({ count }: CountedKey) => number(count) },
    {
      title: '',
      cell: ({ key, count }: CountedKey) => html`<${Share} of=${count} whole=${keys[0]?.count ?? 1} label=${`${what} of ${key}`} />`,
    },
  ]} />`;
}
