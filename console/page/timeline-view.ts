import { useEffect, useRef, useState } from 'preact/hooks';
import { duration } from '../../lib/inspect/duration.ts';
import type { InspectedEpoch } from '../../lib/inspect/epochs.ts';
import { html, type View } from './html.ts';
import { clockTime, plural } from './text.ts';
import { type Bar, type Timeline, ticksIn, timelineOf } from './timeline.ts';

const LANE = { height: 20, gap: 4 };
const MARKS = 20;
const AXIS = 22;
const LABELS = 128;
const SHORTEST = 1.5;
const DIGIT = 7;
/** A time below the axis takes so much. */
const TICK = 64;
/** Neighbouring epochs differ in colour; numbers tell apart those that share one. */
const COLORS = 5;
const SPANS_MS = [2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000] as const;
const FIRST_SPAN = 2;
/** A step to the side is so much of what is seen. */
const STEP = 0.25;
const LABEL_CHARS = 17;

/** Which stage worked on which epoch when, up to now or back in time. Left and right, plus and minus do what the buttons do. */
export function TimelineView({
  epochs,
  stages,
  nowMs,
}: {
  readonly epochs: readonly InspectedEpoch[];
  readonly stages: readonly string[];
  readonly nowMs: number;
}): View {
  const [span, setSpan] = useState(FIRST_SPAN);
  /** Undefined: it follows the newest epoch. */
  const [end, setEnd] = useState<number | undefined>(undefined);
  const [width, place] = useWidth();
  const spanMs = SPANS_MS[span] ?? SPANS_MS[FIRST_SPAN];
  const newest = epochs.at(-1)?.decidedAtMs ?? nowMs;
  const oldest = epochs[0]?.plannedAtMs ?? nowMs;
  const toMs = end ?? Math.max(newest + 0.05 * spanMs, Math.min(nowMs, newest + 0.5 * spanMs));
  const fromMs = toMs - spanMs;
  const move = (share: number) => {
    const next = toMs + share * spanMs;
    setEnd(next >= newest ? undefined : Math.max(next, oldest + spanMs / 2));
  };
  const zoom = (by: number) => setSpan(Math.min(SPANS_MS.length - 1, Math.max(0, span + by)));
  const keys = (event: KeyboardEvent) => {
    const does = {
      ArrowLeft: () => move(-STEP),
      ArrowRight: () => move(STEP),
      Home: () => setEnd(oldest + spanMs / 2),
      End: () => setEnd(undefined),
      '+': () => zoom(-1),
      '-': () => zoom(1),
    }[event.key];
    if (does === undefined) return;
    event.preventDefault();
    does();
  };
  const seen = epochs.filter(({ plannedAtMs, decidedAtMs }) => decidedAtMs + spanMs / 4 >= fromMs && plannedAtMs <= toMs);
  const timeline = timelineOf(seen, stages);
  return html`<figure class="timeline">
    <div class="buttons">
      <button type="button" onClick=${() => move(-1)}>← earlier</button>
      <button type="button" onClick=${() => move(1)} disabled=${end === undefined}>later →</button>
      <button type="button" onClick=${() => setEnd(undefined)} disabled=${end === undefined}>${end === undefined ? '● live' : 'to the newest'}</button>
      <button type="button" onClick=${() => zoom(-1)} disabled=${span === 0} aria-label="shorter span">+</button>
      <button type="button" onClick=${() => zoom(1)} disabled=${span === SPANS_MS.length - 1} aria-label="longer span">−</button>
      <span class="quiet">${duration(spanMs)}, ${plural(seen.length, 'epoch')}</span>
    </div>
    <div ref=${place} class="drawing" tabindex="0" role="group" aria-label="Timeline. Arrow keys move, plus and minus change the span, Home and End lead to the oldest and the newest epoch" onKeyDown=${keys}>
      ${width > 0 && html`<${Drawing} ...${{ timeline, seen, width, fromMs, toMs }} />`}
    </div>
    <figcaption class="quiet">A bar is the work on one epoch, with its number; two lanes at once are two epochs at once. <span class="mark-word">▲ n</span>: it took n attempts, of which the last is drawn. How long the newest took to be decided and committed is written with the next one.</figcaption>
  </figure>`;
}

interface Window {
  readonly timeline: Timeline;
  readonly seen: readonly InspectedEpoch[];
  readonly width: number;
  readonly fromMs: number;
  readonly toMs: number;
}

function Drawing({ timeline, seen, width, fromMs, toMs }: Window): View {
  const { lanes, bars } = timeline;
  const x = (ms: number) => LABELS + ((ms - fromMs) / (toMs - fromMs)) * (width - LABELS - 8);
  const laneY = (lane: number) => MARKS + lane * (LANE.height + LANE.gap);
  const axisY = laneY(lanes.length);
  const height = axisY + AXIS;
  const all = ticksIn(fromMs, toMs - fromMs);
  const every = Math.ceil((all.length * TICK) / Math.max(1, width - LABELS));
  const ticks = all.filter((_, at) => at % every === 0);
  const room = (width - LABELS) / Math.max(1, seen.length);
  return html`<svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${`${plural(seen.length, 'epoch')} in ${lanes.join(', ')}`}>
    <clipPath id="drawn"><rect x=${LABELS} y="0" width=${Math.max(0, width - LABELS)} height=${height} /></clipPath>
    ${ticks.map((ms) => html`<path class="grid" d=${`M${round(x(ms))} ${MARKS}V${axisY}`} /><text class="tick" x=${round(x(ms))} y=${axisY + 15} text-anchor="middle">${tickText(ms, toMs - fromMs)}</text>`)}
    ${lanes.map((lane, at) => html`<text class="lane" x=${LABELS - 10} y=${laneY(at) + 14} text-anchor="end">${lane.length > LABEL_CHARS ? `${lane.slice(0, LABEL_CHARS - 1)}…` : lane}<title>${lane}</title></text><path class="grid" d=${`M${LABELS} ${laneY(at) + LANE.height + LANE.gap / 2}H${width}`} />`)}
    <g clip-path="url(#drawn)">
      ${bars.map((bar) => html`<${BarRect} bar=${bar} left=${x(bar.fromMs)} right=${x(bar.toMs)} y=${laneY(lanes.indexOf(bar.lane))} />`)}
      ${seen.map((epoch) => html`<${Which} epoch=${epoch} x=${x(epoch.plannedAtMs)} hasRoom=${room > DIGIT * `${epoch.epoch}`.length + 8} />`)}
    </g>
  </svg>`;
}

/** Above where its work begins: its number, where there is room, and how many attempts it took. */
function Which({ epoch, x, hasRoom }: { readonly epoch: InspectedEpoch; readonly x: number; readonly hasRoom: boolean }): View {
  const { attempts, epoch: number } = epoch;
  const mark = attempts > 1 && html`<tspan class="mark-word">${hasRoom ? ' ' : ''}▲ ${attempts}</tspan>`;
  if (!hasRoom && !mark) return undefined;
  return html`<text class=${hasRoom ? 'which' : 'mark'} x=${round(x)} y="14">${hasRoom && number}${mark}<title>epoch ${number} took ${plural(attempts, 'attempt')}</title></text>`;
}

function BarRect({ bar, left, right, y }: { readonly bar: Bar; readonly left: number; readonly right: number; readonly y: number }): View {
  const width = Math.max(SHORTEST, right - left);
  const number = `${bar.epoch}`;
  return html`<g><title>epoch ${bar.epoch}, ${bar.lane}: ${duration(bar.toMs - bar.fromMs)}</title>
    <rect class=${`bar epoch-${bar.epoch % COLORS}`} x=${round(left)} y=${y} width=${round(width)} height=${LANE.height} rx="2" />
    ${width > DIGIT * number.length + 4 && html`<text class="number" x=${round(left + width / 2)} y=${y + 14} text-anchor="middle">${number}</text>`}
  </g>`;
}

function tickText(ms: number, spanMs: number): string {
  return spanMs > 10_000 ? clockTime(ms) : `${clockTime(ms).slice(3)}.${Math.floor((ms % 1_000) / 100)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** How wide an element is, also when the window changes. */
function useWidth(): readonly [number, { current: HTMLDivElement | null }] {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const sized = new ResizeObserver(() => setWidth(element.clientWidth));
    sized.observe(element);
    return () => sized.disconnect();
  }, []);
  return [width, place];
}
