import type { Bar, Mark, MarkKind, RunHistory } from './run-history.ts';

/** Of one row, in SVG units. A run is drawn in rows of the same length in time, one below the other, as a text is. */
const ROW_WIDTH = 1000;
const LABELS_WIDTH = 100;
const MARGIN = 16;
const LANE_HEIGHT = 18;
const LANE_GAP = 4;
const MARKS_HEIGHT = 18;
const AXIS_HEIGHT = 22;
const ROW_GAP = 14;
const HEAD_HEIGHT = 88;
const SHORTEST_BAR = 1.5;
const DIGIT_WIDTH = 7;
/** Neighbouring epochs differ in colour; numbers tell apart those that share one. */
const COLORS = 5;

const MARKS: Readonly<Record<MarkKind, { readonly says: string; readonly path: string }>> = {
  killed: { says: 'kill -9', path: 'M-4-4L4 4M4-4L-4 4' },
  fenced: { says: 'fenced by a zombie', path: 'M0-5V5M-5 0H5' },
  failed: { says: 'attempt failed', path: 'M-5 4L0-5L5 4Z' },
  republished: { says: 'published again', path: 'M0-5L5 0L0 5L-5 0Z' },
  started: { says: 'a coordinator starts', path: 'M-4-5L5 0L-4 5Z' },
};

export interface TimelineOptions {
  readonly title: string;
  /** The part of the run to draw. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Length of a row. */
  readonly rowMs: number;
}

/** Draws a run as SVG: a lane for each stage, for decisions and for commits; a bar for the work on one epoch. */
export function drawTimeline(history: RunHistory, { title, fromMs, toMs, rowMs }: TimelineOptions): string {
  const windows = windowsOf(history, { fromMs, toMs, rowMs, zeroMs: fromMs });
  const rowHeight = MARKS_HEIGHT + history.lanes.length * (LANE_HEIGHT + LANE_GAP) + AXIS_HEIGHT + ROW_GAP;
  const width = 2 * MARGIN + LABELS_WIDTH + ROW_WIDTH;
  const height = HEAD_HEIGHT + windows.length * rowHeight + MARGIN;
  const drawn = windows.map((window, row) => group(MARGIN, HEAD_HEIGHT + row * rowHeight, drawRow(history, window)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    STYLE,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text(MARGIN, 26, title, 'head'),
    group(MARGIN, 50, drawLegend()),
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  readonly rowMs: number;
  /** What the axis calls 0 s. */
  readonly zeroMs: number;
}

/** The rows, without those in which nothing happened. */
function windowsOf({ bars, marks }: RunHistory, { fromMs, toMs, rowMs, zeroMs }: Window): Window[] {
  const all = Array.from({ length: Math.ceil((toMs - fromMs) / rowMs) }, (_, row) => ({
    fromMs: fromMs + row * rowMs,
    toMs: Math.min(toMs, fromMs + (row + 1) * rowMs),
    rowMs,
    zeroMs,
  }));
  return all.filter(
    (window) => bars.some((bar) => isIn(window, bar)) || marks.some(({ atMs }) => atMs >= window.fromMs && atMs < window.toMs),
  );
}

function isIn(window: Window, bar: Bar): boolean {
  return bar.fromMs < window.toMs && (bar.toMs ?? window.toMs) > window.fromMs;
}

function drawRow({ lanes, bars, marks }: RunHistory, window: Window): string[] {
  const x = (ms: number) => LABELS_WIDTH + ((ms - window.fromMs) / window.rowMs) * ROW_WIDTH;
  const laneY = (lane: string) => MARKS_HEIGHT + lanes.indexOf(lane) * (LANE_HEIGHT + LANE_GAP);
  const axisY = MARKS_HEIGHT + lanes.length * (LANE_HEIGHT + LANE_GAP);
  const end = x(window.toMs);
  return [
    ...ticksOf(window).flatMap((ms) => [
      `<path class="grid" d="M${round(x(ms))} ${MARKS_HEIGHT}V${axisY}"/>`,
      text(x(ms), axisY + 14, `${secondsOf(ms - window.zeroMs)} s`, 'tick'),
    ]),
    ...lanes.flatMap((lane) => [
      text(LABELS_WIDTH - 8, laneY(lane) + 13, lane, 'lane'),
      `<path class="lane-line" d="M${LABELS_WIDTH} ${laneY(lane) + LANE_HEIGHT + LANE_GAP / 2}H${round(end)}"/>`,
    ]),
    ...bars
      .filter((bar) => isIn(window, bar))
      .map((bar) =>
        drawBar(bar, x(Math.max(bar.fromMs, window.fromMs)), x(Math.min(bar.toMs ?? window.toMs, window.toMs)), laneY(bar.lane)),
      ),
    ...marks.filter(({ atMs }) => atMs >= window.fromMs && atMs < window.toMs).map((mark) => drawMark(mark, x(mark.atMs), axisY)),
  ];
}

function drawBar({ epoch, lane, fromMs, toMs, dropped }: Bar, left: number, right: number, y: number): string {
  const width = Math.max(SHORTEST_BAR, right - left);
  const lasted = toMs === undefined ? 'not over' : `${Math.round(toMs - fromMs)} ms`;
  const says = `<title>epoch ${epoch}, ${escaped(lane)}: ${lasted}${dropped ? ', dropped' : ''}</title>`;
  const rect = `<rect class="bar ${dropped ? 'dropped' : `epoch-${epoch % COLORS}`}" x="${round(left)}" y="${y}" width="${round(width)}" height="${LANE_HEIGHT}" rx="2">${says}</rect>`;
  return width < DIGIT_WIDTH * String(epoch).length + 2
    ? rect
    : rect + text(left + width / 2, y + 13, String(epoch), dropped ? 'number pale' : 'number');
}

function drawMark({ kind, what }: Mark, x: number, axisY: number): string {
  const line = `<path class="when ${kind}" d="M${round(x)} ${MARKS_HEIGHT - 2}V${axisY}"/>`;
  return `${line}<path class="mark ${kind}" transform="translate(${round(x)} 9)" d="${MARKS[kind].path}"><title>${escaped(what)}</title></path>`;
}

/** Two lines: bars, then marks. */
function drawLegend(): string[] {
  const swatch = (name: string, at: number) => `<rect class="bar ${name}" x="${at}" y="-6" width="14" height="12" rx="2"/>`;
  const colors = Array.from({ length: COLORS }, (_, color) => swatch(`epoch-${color}`, 16 * color));
  const bars = [
    ...colors,
    text(88, 4, 'work on one epoch, with its number', 'legend'),
    swatch('dropped', 310),
    text(332, 4, 'on one that was dropped', 'legend'),
  ];
  const marks = Object.entries(MARKS).flatMap(([kind, { says, path }], index) => [
    `<path class="mark ${kind}" transform="translate(${7 + 165 * index} 20)" d="${path}"/>`,
    text(20 + 165 * index, 24, says, 'legend'),
  ]);
  return [...bars, ...marks];
}

/** Whole steps of 1, 2 or 5 in a decade, five to ten in a row. */
function ticksOf({ fromMs, toMs, rowMs, zeroMs }: Window): number[] {
  const decade = 10 ** Math.floor(Math.log10(rowMs / 5));
  const step = [5, 2, 1].map((factor) => factor * decade).find((candidate) => rowMs / candidate >= 5) ?? decade;
  const ticks: number[] = [];
  for (let ms = zeroMs + Math.ceil((fromMs - zeroMs) / step) * step; ms < toMs; ms += step) ticks.push(ms);
  return ticks;
}

function secondsOf(ms: number): string {
  return String(Number((ms / 1000).toFixed(2)));
}

function text(x: number, y: number, content: string, name: string): string {
  return `<text class="${name}" x="${round(x)}" y="${y}">${escaped(content)}</text>`;
}

function group(x: number, y: number, parts: readonly string[]): string {
  return `<g transform="translate(${round(x)} ${round(y)})">\n${parts.join('\n')}\n</g>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

interface Palette {
  readonly ground: string;
  readonly ink: string;
  readonly faint: string;
  readonly pale: string;
  readonly onBar: string;
  readonly bad: string;
  readonly warn: string;
  readonly again: string;
  readonly start: string;
  /** By epoch, in turn. */
  readonly epochs: readonly string[];
}

const LIGHT: Palette = {
  ground: '#ffffff',
  ink: '#1f2328',
  faint: '#d8dee4',
  pale: '#656d76',
  onBar: '#ffffff',
  bad: '#cf222e',
  warn: '#bc4c00',
  again: '#bf3989',
  start: '#0969da',
  epochs: ['#0969da', '#1a7f37', '#9a6700', '#8250df', '#0b7285'],
};
const DARK: Palette = {
  ground: '#0d1117',
  ink: '#e6edf3',
  faint: '#30363d',
  pale: '#9198a1',
  onBar: '#0d1117',
  bad: '#ff7b72',
  warn: '#f0883e',
  again: '#ff80c8',
  start: '#79c0ff',
  epochs: ['#58a6ff', '#56d364', '#e3b341', '#bc8cff', '#39c5cf'],
};

/** Plain colours: what draws SVG outside of browsers knows no variables, and would draw everything black. */
function colours({ ground, ink, faint, pale, onBar, bad, warn, again, start, epochs }: Palette): string {
  return [
    `.ground { fill: ${ground}; } text { fill: ${ink}; } .legend, .tick, .pale { fill: ${pale}; } .grid, .lane-line { stroke: ${faint}; }`,
    epochs.map((colour, index) => `.epoch-${index} { fill: ${colour}; }`).join(' '),
    `.dropped { stroke: ${pale}; } .number { fill: ${onBar}; } .number.pale { fill: ${pale}; }`,
    `.killed, .fenced { stroke: ${bad}; } .failed { stroke: ${warn}; } .republished { stroke: ${again}; } .started { stroke: ${start}; }`,
    `.mark.republished { fill: ${again}; } .mark.started { fill: ${start}; } .mark.failed { fill: ${warn}; }`,
  ].join('\n');
}

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; } .head { font-size: 16px; font-weight: 600; } .number { font-size: 11px; }
.lane { text-anchor: end; } .tick, .number { text-anchor: middle; }
.grid, .lane-line, .dropped, .mark, .when { fill: none; } .mark { stroke-width: 2; } .dropped { stroke-dasharray: 3 2; } .when { stroke-dasharray: 2 3; }
${colours(LIGHT)}
@media (prefers-color-scheme: dark) {
${colours(DARK)}
}
</style>`;
