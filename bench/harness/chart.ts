import type { RunResult } from './results.ts';
import { type Figure, type Group, groupsOf, OURS } from './summary.ts';
import { short } from './table.ts';

/** What is drawn of each mode; the rest is in the table. */
const DRAWN: readonly {
  readonly mode: Group['mode'];
  readonly metric: string;
  readonly title: string;
  readonly better: 'higher' | 'lower';
}[] = [
  { mode: 'drain', metric: 'recordsPerSecond', title: 'Records a second, first to last commit', better: 'higher' },
  { mode: 'drain', metric: 'recordsPerSecondFromStart', title: 'Records a second, from start', better: 'higher' },
  { mode: 'drain', metric: 'cpuSeconds', title: 'CPU seconds of the job', better: 'lower' },
  { mode: 'drain', metric: 'peakMb', title: 'Peak memory, MB', better: 'lower' },
  { mode: 'latency', metric: 'p50Ms', title: 'Latency p50, ms', better: 'lower' },
  { mode: 'latency', metric: 'p99Ms', title: 'Latency p99, ms', better: 'lower' },
  { mode: 'recovery', metric: 'resumeSeconds', title: 'kill -9 until new output, s', better: 'lower' },
];

const COLUMNS = 2;
const PANEL_WIDTH = 400;
const MARGIN = 20;
const WIDTH = COLUMNS * PANEL_WIDTH + MARGIN;
const LABEL_WIDTH = 95;
const VALUE_WIDTH = 65;
const BAR = 18;
const BAR_GAP = 5;
const GROUP_HEAD = 34;
const PANEL_HEAD = 26;

interface Panel {
  readonly title: string;
  readonly bars: readonly { readonly peer: string; readonly figure: Figure }[];
}

/** A panel of bars for each figure, each with a scale of its own that begins at 0; a line from the least to the most of the runs. */
export function chartOf(results: readonly RunResult[]): string {
  const parts: string[] = [];
  let y = MARGIN;
  for (const group of groupsOf(results)) {
    const panels = panelsOf(group);
    if (panels.length === 0) continue;
    parts.push(text(MARGIN, y + 14, group.mode, 'group'), text(MARGIN + LABEL_WIDTH, y + 14, settingText(group), 'note'));
    y += GROUP_HEAD;
    for (let first = 0; first < panels.length; first += COLUMNS) {
      const row = panels.slice(first, first + COLUMNS);
      row.forEach((panel, column) => void parts.push(...drawPanel(panel, MARGIN + column * PANEL_WIDTH, y)));
      y += Math.max(...row.map(({ bars }) => PANEL_HEAD + bars.length * (BAR + BAR_GAP))) + MARGIN;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
<title>Measured speed, medians</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.group { font-size: 15px; font-weight: 600; }
.title { font-size: 12px; }
.note { font-size: 11px; fill: #59636e; }
text.ours { font-weight: 600; }
.value { font-variant-numeric: tabular-nums; }
.page { fill: #ffffff; }
.bar { fill: #a8b1bb; }
.bar.ours { fill: #1f6feb; }
.range { stroke: #1f2328; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .note { fill: #9198a1; }
  .page { fill: #0d1117; }
  .bar { fill: #59636e; }
  .bar.ours { fill: #4493f8; }
  .range { stroke: #f0f6fc; }
}
</style>
<rect class="page" width="${WIDTH}" height="${y}"/>
${parts.join('\n')}
</svg>
`;
}

function panelsOf(group: Group): Panel[] {
  return DRAWN.filter(({ mode }) => mode === group.mode).flatMap(({ metric, title, better }) => {
    const bars = [...group.peers].flatMap(([peer, { metrics }]) => {
      const figure = metrics.get(metric);
      return figure === undefined ? [] : [{ peer, figure }];
    });
    return bars.length === 0 ? [] : [{ title: `${title} (${better} is better)`, bars }];
  });
}

function drawPanel({ title, bars }: Panel, x: number, y: number): string[] {
  const left = x + LABEL_WIDTH;
  const most = Math.max(...bars.map(({ figure }) => figure.most));
  const scale = (value: number) => ((PANEL_WIDTH - MARGIN - LABEL_WIDTH - VALUE_WIDTH) * value) / (most || 1);
  const drawn = bars.flatMap(({ peer, figure }, index) => {
    const top = y + PANEL_HEAD + index * (BAR + BAR_GAP);
    const middle = top + BAR / 2;
    const ours = peer === OURS ? ' ours' : '';
    return [
      text(x, middle + 4, peer, `name${ours}`),
      `<rect x="${left}" y="${top}" width="${px(scale(figure.median))}" height="${BAR}" rx="2" class="bar${ours}"/>`,
      ...(figure.least < figure.most
        ? [`<path d="M${px(left + scale(figure.least))} ${middle}H${px(left + scale(figure.most))}" class="range"/>`]
        : []),
      text(left + scale(figure.most) + 8, middle + 4, short(figure.median), 'value'),
    ];
  });
  return [text(x, y + 14, title, 'title'), ...drawn];
}

function settingText({ setting }: Group): string {
  const { shape, lines, intervalMs, linesPerSecond, blobs, partitions } = setting;
  const words = [
    lines === undefined ? undefined : `${short(Number(lines))} lines of ${shape}`,
    linesPerSecond === undefined ? undefined : `${linesPerSecond} lines/s`,
    `interval ${intervalMs} ms`,
    `${partitions} partitions`,
    blobs === undefined ? undefined : `${blobs} blobs`,
  ];
  return words.filter((word) => word !== undefined).join(', ');
}

function text(x: number, y: number, value: string, kind: string): string {
  return `<text x="${px(x)}" y="${px(y)}" class="${kind}">${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
}

function px(value: number): string {
  return value.toFixed(1);
}
