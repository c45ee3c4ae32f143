import type { UnderWay } from '../../lib/ports/epoch-store.ts';
import type { JobGraphShown, ShownEdge, ShownStage } from '../server/graph.ts';
import { type AtWork, atWork } from './at-work.ts';
import type { Rates } from './epochs.ts';
import { html, type View } from './html.ts';
import { layoutOf } from './layout.ts';
import { short } from './text.ts';

const BOX = { width: 196, height: 76 };
const GAP = { x: 116, y: 28 };
const MARGIN = 10;
const NAME_CHARS = 24;
const LINE_CHARS = 30;
const KINDS = { source: 'source', operator: 'keyed operator', sink: 'sink' } as const;
const HOW = { key: 'by key', broadcast: 'broadcast', sink: 'output' } as const;

interface GraphProps {
  readonly graph: JobGraphShown;
  readonly rates: Rates;
  readonly underWay: UnderWay | null;
}

/** The stages of the job from left to right, how many records a second flow between them, and which of them are at something that takes long. */
export function Graph({ graph, rates, underWay }: GraphProps): View {
  const layout = layoutOf(graph);
  const works = atWork(underWay, graph.stages);
  const at = (id: string) => {
    const { column, row } = layout.places.get(id) ?? { column: 0, row: 0 };
    return { x: MARGIN + column * (BOX.width + GAP.x), y: MARGIN + row * (BOX.height + GAP.y) };
  };
  const width = 2 * MARGIN + layout.columns * BOX.width + (layout.columns - 1) * GAP.x;
  const height = 2 * MARGIN + layout.rows * BOX.height + (layout.rows - 1) * GAP.y;
  return html`<figure class="graph">
    <div class="scroll" role="region" aria-label="graph of the job" tabindex="0">
      <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${inWords(graph, rates, works)}>
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="arrow" d="M0 0L8 4L0 8Z" /></marker></defs>
        ${graph.edges.map((edge) => html`<${EdgeLine} edge=${edge} from=${at(edge.from)} to=${at(edge.to)} rate=${rates.byEdge.get(edge.id)} />`)}
        ${graph.stages.map((stage) => html`<${StageBox} stage=${stage} at=${at(stage.id)} rate=${rateOf(stage, graph, rates)} works=${works.get(stage.id)} />`)}
      </svg>
    </div>
    ${graph.incompleteBecause !== null && html`<figcaption class="quiet">${graph.incompleteBecause}</figcaption>`}
  </figure>`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface StageBoxProps {
  readonly stage: ShownStage;
  readonly at: Point;
  readonly rate: string;
  readonly works: AtWork | undefined;
}

function StageBox({ stage, at, rate, works }: StageBoxProps): View {
  const { id, kind, says, subtasks } = stage;
  const many = subtasks === null ? '' : subtasks === 1 ? '1 subtask' : `${subtasks} subtasks`;
  return html`<g transform=${`translate(${at.x} ${at.y})`}>
    <title>${[`${id} (${KINDS[kind]})`, ...says, many, works?.inWords ?? ''].filter((line) => line !== '').join('\n')}</title>
    <rect class=${`box ${kind}${works === undefined ? '' : ' works'}`} width=${BOX.width} height=${BOX.height} rx="6" />
    <text class="name" x="12" y="22">${cut(id, NAME_CHARS)}</text>
    <text class="small" x="12" y="41">${cut(says[0] ?? KINDS[kind], LINE_CHARS)}</text>
    <text class="small" x="12" y="61">${many}</text>
    <text class="rate" x=${BOX.width - 12} y="61" text-anchor="end">${rate}</text>
    ${works !== undefined && html`<${WorkMark} mark=${works.mark} />`}
  </g>`;
}

/** On the lower edge of the box: it comes and goes without moving anything. */
function WorkMark({ mark }: { readonly mark: string }): View {
  const width = 24 + mark.length * 6.5;
  return html`<g class="work-mark" transform=${`translate(${(BOX.width - width) / 2} ${BOX.height - 9})`}>
    <rect width=${width} height="18" rx="9" />
    <text x=${width / 2} y="13" text-anchor="middle">${mark}</text>
  </g>`;
}

/** Records a second that it reads, of a source, or writes, of a sink. Where there are several it is not known of each. */
function rateOf({ id, kind }: ShownStage, { stages, edges }: JobGraphShown, rates: Rates): string {
  const alone = stages.filter((stage) => stage.kind === kind).length === 1;
  if (kind === 'source') return alone ? `${short(rates.read)}/s` : '';
  if (kind !== 'sink') return '';
  const own = edges.filter(({ to }) => to === id);
  if (own.length === 0 || rates.byEdge.size === 0) return alone ? `${short(rates.written)}/s` : '';
  return `${short(own.reduce((sum, edge) => sum + (rates.byEdge.get(edge.id) ?? 0), 0))}/s`;
}

function EdgeLine({
  edge,
  from,
  to,
  rate,
}: {
  readonly edge: ShownEdge;
  readonly from: Point;
  readonly to: Point;
  readonly rate: number | undefined;
}): View {
  const start = { x: from.x + BOX.width, y: from.y + BOX.height / 2 };
  const end = { x: to.x - 2, y: to.y + BOX.height / 2 };
  const bend = Math.max(30, (end.x - start.x) / 2);
  const middle = { x: end.x - GAP.x / 2 + 1, y: start.y + (end.y - start.y) * 0.75 };
  const path = `M${start.x} ${start.y}C${start.x + bend} ${start.y} ${end.x - bend} ${end.y} ${end.x} ${end.y}`;
  const how = edge.tag === null ? HOW[edge.how] : edge.tag;
  return html`<g>
    <path class=${`edge ${rate !== undefined && rate > 0 ? 'flows' : ''}`} d=${path} marker-end="url(#arrow)" />
    <text class="edge-label" x=${middle.x} y=${middle.y - 7} text-anchor="middle">${rate === undefined ? '' : `${short(rate)}/s`}</text>
    <text class="edge-label faint" x=${middle.x} y=${middle.y + 15} text-anchor="middle">${cut(how, 16)}</text>
  </g>`;
}

function inWords({ stages, edges }: JobGraphShown, rates: Rates, works: ReadonlyMap<string, AtWork>): string {
  const flows = edges.map(
    ({ id, from, to }) => `${from} to ${to}${rates.byEdge.has(id) ? `, ${short(rates.byEdge.get(id) ?? 0)} records a second` : ''}`,
  );
  const busy = [...works].map(([id, { inWords: what }]) => `${id} ${what}`);
  return [`${stages.length} stages: ${stages.map(({ id, kind }) => `${KINDS[kind]} ${id}`).join(', ')}`, ...flows, ...busy].join('. ');
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
