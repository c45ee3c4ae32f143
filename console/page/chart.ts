import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { html, type View } from './html.ts';
import { clockTime, short } from './text.ts';

export interface Line {
  readonly label: string;
  /** Of a variable of the style sheet. */
  readonly color: string;
  /** Tells it from the others without colour. */
  readonly dash?: readonly number[];
  readonly values: readonly (number | null)[];
}

const HEIGHT = 150;
const AXIS_PX = 66;
const TIMES_PX = 30;
/** So that the last time stands whole. */
const RIGHT_PX = 28;

/** Lines over time. @param times in milliseconds since the Unix epoch, ascending */
export function Chart({
  title,
  unit,
  times,
  lines,
}: {
  readonly title: string;
  readonly unit: (value: number) => string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
}): View {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const data = [times.map((ms) => ms / 1_000), ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const newest = lines.map(({ label, values }) => `${label} ${unit(values.findLast((value) => value !== null) ?? 0)}`).join(', ');

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const make = () => {
      chart.current?.destroy();
      chart.current = new uPlot(optionsOf(element, lines, unit), data, element);
    };
    make();
    const sized = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    sized.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', make);
    return () => {
      sized.disconnect();
      scheme.removeEventListener('change', make);
      chart.current?.destroy();
    };
  }, []);
  useEffect(() => chart.current?.setData(data), [times.at(-1), times.length]);

  return html`<figure class="chart">
    <figcaption>${title} <span class="legend">${lines.map(({ label, color, dash }) => html`<span><svg width="22" height="8" aria-hidden="true"><line class=${color} x1="0" x2="22" y1="4" y2="4" stroke-dasharray=${dash?.join(' ')} /></svg> ${label}</span>`)}</span></figcaption>
    <div ref=${place} role="img" aria-label=${`${title}. Newest: ${newest}`}></div>
  </figure>`;
}

function optionsOf(element: HTMLElement, lines: readonly Line[], unit: (value: number) => string): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: color('quiet'),
    grid: { stroke: color('faint'), width: 1 },
    ticks: { stroke: color('faint'), width: 1 },
    font: '11px system-ui',
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [null, RIGHT_PX, null, null],
    legend: { show: false },
    cursor: { drag: { x: true, y: false } },
    scales: { y: { range: (_chart, _least, most) => [0, Math.max(most, 0.001) * 1.1] } },
    axes: [
      { ...axis, size: TIMES_PX, values: (_chart, values) => values.map((seconds) => clockTime(seconds * 1_000)) },
      { ...axis, size: AXIS_PX, values: (_chart, values) => values.map((value) => (value === null ? '' : unit(value))) },
    ],
    series: [
      {},
      ...lines.map(({ label, color: name, dash }) => ({
        label,
        stroke: color(name),
        width: 1.5,
        points: { show: false },
        ...(dash !== undefined && { dash: [...dash] }),
      })),
    ],
  };
}

export const perSecond = (value: number): string => `${short(value)}/s`;
