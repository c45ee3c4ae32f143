import { duration } from '../../lib/inspect/duration.ts';
import { html, type View } from './html.ts';
import type { Reading } from './use-panel.ts';

/** What was read, or why not. What was known before stays, and says how old it is. */
export function Shown<T>({ reading, view }: { readonly reading: Reading<T>; readonly view: (of: T) => View }): View {
  const { answer, known } = reading;
  if (answer === undefined && known === undefined) return html`<p class="quiet" role="status">Reading…</p>`;
  const note = answer === undefined || answer.is === 'known' ? undefined : html`<${Note} is=${answer.is} why=${answer.why} />`;
  const age =
    note === undefined || known === undefined
      ? undefined
      : html`<p class="quiet">What follows is from ${duration(Date.now() - known.atMs)} ago.</p>`;
  return html`${note}${age}${known === undefined ? undefined : view(known.of)}`;
}

const WORDS = { none: 'Nothing to show', unknown: 'Could not be read', away: 'No connection', refused: 'Refused' } as const;

export function Note({ is, why }: { readonly is: keyof typeof WORDS; readonly why: string }): View {
  return html`<div class=${`note ${is}`} role=${is === 'none' ? 'status' : 'alert'}><strong>${WORDS[is]}:</strong> <span class="lines">${why}</span></div>`;
}

export interface Column<Row> {
  readonly title: string;
  /** How it stands in its column. @default 'text', which may take several lines */
  readonly as?: 'text' | 'number' | 'moment';
  readonly cell: (row: Row) => View;
}

/** A table with a name for who does not see it. */
export function Table<Row>({
  caption,
  columns,
  rows,
  empty,
}: {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly empty: string;
}): View {
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`;
  return html`<div class="scroll" role="region" aria-label=${caption} tabindex="0">
    <table>
      <caption>${caption}</caption>
      <thead><tr>${columns.map(({ title, as }) => html`<th scope="col" class=${as}>${title}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr>${columns.map(({ cell, as }) => html`<td class=${as}>${cell(row)}</td>`)}</tr>`)}</tbody>
    </table>
  </div>`;
}

/** A name and what it is, again and again. */
export function Facts({ of }: { readonly of: readonly (readonly [name: string, is: View])[] }): View {
  return html`<dl class="facts">${of.map(([name, is]) => html`<div><dt>${name}</dt><dd>${is}</dd></div>`)}</dl>`;
}

/** A share of a whole, as a bar; the number stands beside it. */
export function Share({ of, whole, label }: { readonly of: number; readonly whole: number; readonly label: string }): View {
  return html`<span class="share"><meter min="0" max=${Math.max(whole, 1)} value=${of} aria-label=${label}></meter></span>`;
}
