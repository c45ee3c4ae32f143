import type { ChainRun } from './run-chain.ts';
import type { Sample } from './watch.ts';

const WIDTH = 960;
const LEFT = 60;
const RIGHT = 24;
const TOP = 78;
const PANEL_HEIGHT = 150;
const PANEL_GAP = 46;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
const TICKS = 10;

interface Line {
  readonly name: 'ours' | 'plain' | 'sent';
  readonly of: (sample: Sample) => number;
}

interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** Three panels over one time: what the reader saw, how far it was thrown back, and what it saw twice. A dashed line is a kill. */
export function drawChain({ samples, killedAtMs, orders }: Pick<ChainRun, 'samples' | 'killedAtMs' | 'orders'>): string {
  const [ours, plain] = [fallsOf(samples, 'ours'), fallsOf(samples, 'plain')];
  const panels: readonly Panel[] = [
    {
      title: 'orders that the table of totals shows',
      lines: [
        { name: 'sent', of: ({ sent }) => sent },
        { name: 'plain', of: (sample) => sample.plain.orders },
        { name: 'ours', of: (sample) => sample.ours.orders },
      ],
    },
    {
      title: 'orders that it has shown before, and does not show now',
      lines: [
        { name: 'plain', of: (sample) => plain.get(sample) ?? 0 },
        { name: 'ours', of: (sample) => ours.get(sample) ?? 0 },
      ],
    },
    {
      title: 'results that are in the table of results twice',
      lines: [
        { name: 'plain', of: (sample) => sample.plain.repeated },
        { name: 'ours', of: (sample) => sample.ours.repeated },
      ],
    },
  ];
  const endMs = Math.max(1, samples.at(-1)?.atMs ?? 1);
  const height = TOP + panels.length * (PANEL_HEIGHT + PANEL_GAP);
  const title = `${orders} orders, summed up by customer into ClickHouse; everything killed ${killedAtMs.length} times`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${title}</title>`,
    STYLE,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    `<text class="head" x="16" y="24">${title}</text>`,
    ...legend(),
    ...panels.map((panel, index) => {
      const y = TOP + index * (PANEL_HEIGHT + PANEL_GAP);
      return `<g transform="translate(${LEFT} ${y})">\n${drawPanel(panel, samples, { killedAtMs, endMs }).join('\n')}\n</g>`;
    }),
    '</svg>\n',
  ].join('\n');
}

function fallsOf(samples: readonly Sample[], way: 'ours' | 'plain'): Map<Sample, number> {
  let most = 0;
  return new Map(
    samples.map((sample) => {
      most = Math.max(most, sample[way].orders);
      return [sample, most - sample[way].orders];
    }),
  );
}

interface Time {
  readonly killedAtMs: readonly number[];
  readonly endMs: number;
}

function drawPanel({ title, lines }: Panel, samples: readonly Sample[], { killedAtMs, endMs }: Time): string[] {
  const most = Math.max(1, ...lines.flatMap(({ of }) => samples.map(of)));
  const x = (ms: number) => round((ms / endMs) * PLOT_WIDTH);
  const y = (value: number) => round(PANEL_HEIGHT - (value / most) * PANEL_HEIGHT);
  const stepS = Math.ceil(endMs / 1_000 / TICKS);
  const ticks = Array.from({ length: Math.floor(endMs / 1_000 / stepS) + 1 }, (_, index) => index * stepS);
  return [
    `<text class="panel" y="-8">${title}</text>`,
    `<path class="grid" d="M0 0H${PLOT_WIDTH}M0 ${PANEL_HEIGHT}H${PLOT_WIDTH}"/>`,
    `<text class="tick value" x="-6" y="4">${most}</text><text class="tick value" x="-6" y="${PANEL_HEIGHT + 4}">0</text>`,
    ...ticks.map((s) => `<text class="tick" x="${x(s * 1_000)}" y="${PANEL_HEIGHT + 16}">${s} s</text>`),
    ...killedAtMs.map((ms) => `<path class="kill" d="M${x(ms)} 0V${PANEL_HEIGHT}"/>`),
    // Steps: a table shows what it shows until it shows something else.
    ...lines.map(({ name, of }) => {
      const changes = samples.filter(
        (sample, index) => index === 0 || index === samples.length - 1 || of(sample) !== of(samples[index - 1] ?? sample),
      );
      return `<path class="line ${name}" d="M0 ${y(0)}${changes.map((sample) => `H${x(sample.atMs)}V${y(of(sample))}`).join('')}"/>`;
    }),
  ];
}

function legend(): string[] {
  return (['ours', 'plain', 'sent'] as const).map((name, index) => {
    const says = { ours: 'the job', plain: 'the plain way', sent: 'orders in Kafka' }[name];
    const at = 16 + index * 150;
    return `<path class="line ${name}" d="M${at} 38H${at + 24}"/><text class="tick legend" x="${at + 30}" y="42">${says}</text>`;
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328; } .head { font-size: 15px; font-weight: 600; } .panel { font-weight: 600; }
.tick { fill: #656d76; text-anchor: middle; } .value { text-anchor: end; } .legend { text-anchor: start; }
.ground { fill: #ffffff; } .grid, .line, .kill { fill: none; } .grid { stroke: #d8dee4; } .line { stroke-width: 1.8; }
.kill { stroke: #cf222e; stroke-dasharray: 3 3; } .ours { stroke: #0969da; } .plain { stroke: #bc4c00; } .sent { stroke: #8c959f; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .tick { fill: #9198a1; } .ground { fill: #0d1117; } .grid { stroke: #30363d; }
.kill { stroke: #ff7b72; } .ours { stroke: #58a6ff; } .plain { stroke: #f0883e; } .sent { stroke: #6e7681; }
}
</style>`;
