import type { Speed } from './speed.ts';
import { rangeText, ratioText, targetText } from './texts.ts';

const START = '<!-- speed:start (npm run docs:speed) -->';
const END = '<!-- speed:end -->';

/** The published figures as a Markdown table: a row for each. */
export function speedTable({ charts }: Speed): string {
  const rows = charts.flatMap(({ name, runs, figures }) =>
    figures.map((figure, index) => {
      const { what, unit, onceflow, flink } = figure;
      const label = index === 0 ? `**${name}**, ${runs} ${runs === 1 ? 'run' : 'runs'}: ${what}` : `… ${what}`;
      const cells = [
        label,
        rangeText(onceflow, unit),
        flink === undefined ? '' : rangeText(flink, unit),
        ratioText(figure),
        targetText(figure),
      ];
      return `|${cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)).join('|')}|`;
    }),
  );
  return ['| | Onceflow | Flink | ratio | target |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** The page with the table between its markers brought up to date; undefined when it has no markers. */
export function withSpeedTable(page: string, speed: Speed): string | undefined {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) return undefined;
  return `${page.slice(0, start + START.length)}\n${speedTable(speed)}\n${page.slice(end)}`;
}
