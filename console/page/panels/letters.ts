import { useState } from 'preact/hooks';
import type { LetterList, ShownLetter } from '../../server/letters.ts';
import { html, type View } from '../html.ts';
import { Facts, Shown, Table } from '../shown.ts';
import { plural } from '../text.ts';
import { usePanel } from '../use-panel.ts';

const EVERY_MS = 10_000;
const MESSAGE_CHARS = 120;

export function Letters(): View {
  const reading = usePanel('letters', EVERY_MS);
  const [chosen, choose] = useState<ShownLetter | undefined>(undefined);
  return html`
    <${Shown} reading=${reading} view=${({ topic, letters, lookedAt }: LetterList) => html`
      <p>Records that the job left out. Of topic ${topic} the newest ${plural(lookedAt, 'record')} of each partition were looked at. <code>onceflow dead-letters retry</code> writes one to its topic again.</p>
      <${Table} caption="The newest first" rows=${letters} empty="There is none." columns=${[
        {
          title: 'letter',
          cell: (letter: ShownLetter) =>
            html`<button type="button" class="link" onClick=${() => choose(letter)}>${placeOf(letter)}</button>`,
        },
        { title: 'epoch', as: 'number', cell: ({ epoch }: ShownLetter) => epoch },
        { title: 'record', cell: ({ from }: ShownLetter) => `${from.topic}-${from.partition} @ ${from.offset}` },
        { title: 'failed in', cell: ({ operator }: ShownLetter) => operator },
        { title: 'attempts', as: 'number', cell: ({ attempts }: ShownLetter) => attempts },
        { title: 'error', cell: ({ error }: ShownLetter) => firstOf(`${error.class}: ${error.message}`) },
      ]} />`} />
    ${chosen !== undefined && html`<${Letter} letter=${chosen} />`}
  `;
}

function Letter({ letter }: { readonly letter: ShownLetter }): View {
  const { from, epoch, operator, attempts, error, key, value } = letter;
  return html`<section aria-labelledby="letter"><h2 id="letter">Letter ${placeOf(letter)}</h2>
    <${Facts} of=${[
      ['record', `topic ${from.topic}, partition ${from.partition}, offset ${from.offset}`],
      ['left out by', `epoch ${epoch}, ${operator}, after ${plural(attempts, 'attempt')}`],
      ['key', key === null ? 'none' : html`<code class="lines">${key}</code>`],
      ['value', value === null ? 'none' : html`<code class="lines">${value}</code>`],
    ]} />
    <pre tabindex="0">${error.stack === '' ? `${error.class}: ${error.message}` : error.stack}</pre>
  </section>`;
}

function placeOf({ at }: ShownLetter): string {
  return `${at.partition}:${at.offset}`;
}

function firstOf(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > MESSAGE_CHARS ? `${line.slice(0, MESSAGE_CHARS - 1)}…` : line;
}
