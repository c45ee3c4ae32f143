import type { RunResult } from './results.ts';
import { type Group, groupsOf, OURS } from './summary.ts';
import { short } from './table.ts';

/** Bars under a name that says what was measured. */
export interface Chart {
  readonly name: string;
  readonly note: string;
  readonly panels: readonly Panel[];
}

/** Each has a scale of its own, which begins at 0. */
export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly name: string;
  readonly isOurs: boolean;
  readonly median: number;
  /** The least and the most of the runs: a line. */
  readonly least?: number;
  readonly most?: number;
  /** Of the median. */
  readonly text: string;
}

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
const LABEL_WIDTH = 75;
const VALUE_WIDTH = 85;
const BAR = 18;
const BAR_GAP = 5;
const CHART_HEAD = 42;
const PANEL_HEAD = 22;
const PANEL_GAP = 14;

/** The runs of a benchmark: a chart for each mode and setting. */
export function chartOf(results: readonly RunResult[]): string {
  return drawCharts('Measured speed, medians', groupsOf(results).map(chartOfGroup));
}

function chartOfGroup(group: Group): Chart {
  const setting = Object.entries(group.setting).map(([name, value]) => `${name} ${typeof value === 'number' ? short(value) : value}`);
  const panels = DRAWN.filter(({ mode }) => mode === group.mode).flatMap(({ metric, title, better }): Panel[] => {
    const bars = [...group.peers].flatMap(([peer, { metrics }]): Bar[] => {
      const figure = metrics.get(metric);
      return figure === undefined ? [] : [{ name: peer, isOurs: peer === OURS, ...figure, text: short(figure.median) }];
    });
    return bars.length === 0 ? [] : [{ title: `${title}: ${better} is better`, bars }];
  });
  return { name: `${group.mode}: ${setting.join(', ')}`, note: '', panels };
}

/** Charts one below the other, as SVG. Each has its name, for who sees it and for who has it read out. Those without panels are left out. */
export function drawCharts(title: string, charts: readonly Chart[]): string {
  const parts: string[] = [];
  let y = MARGIN;
  for (const { name, note, panels } of charts) {
    if (panels.length === 0) continue;
    const head = [text(MARGIN, y + 14, name, 'chart'), ...(note === '' ? [] : [text(MARGIN, y + 30, note, 'note')])];
    const drawn: string[] = [];
    y += CHART_HEAD;
    for (let first = 0; first < panels.length; first += COLUMNS) {
      const row = panels.slice(first, first + COLUMNS);
      row.forEach((panel, column) => void drawn.push(drawPanel(panel, MARGIN + column * PANEL_WIDTH, y)));
      y += Math.max(...row.map(({ bars }) => PANEL_HEAD + bars.length * (BAR + BAR_GAP))) + PANEL_GAP;
    }
    y += MARGIN - PANEL_GAP;
    parts.push(`<g><title>${escaped(name)}</title>`, ...head, ...drawn, '</g>');
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
<title>${escaped(title)}</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.chart { font-size: 15px; font-weight: 600; }
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

function drawPanel({ title, bars }: Panel, x: number, y: number): string {
  const left = x + LABEL_WIDTH;
  const longest = Math.max(...bars.map(({ median, most = median }) => most));
  const scale = (value: number) => ((PANEL_WIDTH - MARGIN - LABEL_WIDTH - VALUE_WIDTH) * value) / (longest || 1);
  const drawn = bars.flatMap(({ name, isOurs, median, least = median, most = median, text: value }, index) => {
    const top = y + PANEL_HEAD + index * (BAR + BAR_GAP);
    const middle = top + BAR / 2;
    const ours = isOurs ? ' ours' : '';
    return [
      text(x, middle + 4, name, `name${ours}`),
      `<rect x="${left}" y="${top}" width="${px(scale(median))}" height="${BAR}" rx="2" class="bar${ours}"/>`,
      ...(least < most ? [`<path d="M${px(left + scale(least))} ${middle}H${px(left + scale(most))}" class="range"/>`] : []),
      text(left + scale(most) + 8, middle + 4, value, 'value'),
    ];
  });
  const said = `${title}: ${bars.map(({ name, text: value }) => `${name} ${value}`).join(', ')}`;
  return [`<g><title>${escaped(said)}</title>`, text(x, y + 14, title, 'title'), ...drawn, '</g>'].join('\n');
}

function text(x: number, y: number, value: string, kind: string): string {
  return `<text x="${px(x)}" y="${px(y)}" class="${kind}">${escaped(value)}</text>`;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function px(value: number): string {
  return value.toFixed(1);
}
