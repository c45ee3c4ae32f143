const BARS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const SCALE_S = 10;

/** Something that happened, in milliseconds of the chart. */
export interface Amount {
  readonly atMs: number;
  readonly amount: number;
}

export interface Mark {
  readonly atMs: number;
  readonly title: string;
}

export interface ChartData {
  readonly endMs: number;
  /** Added up for each second. */
  readonly sent: readonly Amount[];
  readonly committed: readonly Amount[];
  /** Of one operator: how many from then on; 0 while nobody runs it. */
  readonly subtasks: readonly Amount[];
  readonly marks: readonly Mark[];
}

/** A column of text for each second: orders that came and were committed, in bars; subtasks, as digits; and the steps, as letters. */
export function chartOf({ endMs, sent, committed, subtasks, marks }: ChartData): string {
  const seconds = Math.ceil(endMs / 1_000);
  const most = Math.max(1, ...perSecond(sent, seconds), ...perSecond(committed, seconds));
  const scale = Array.from({ length: Math.ceil(seconds / SCALE_S) }, (_, index) => `|${index * SCALE_S} s`.padEnd(SCALE_S)).join('');
  return [
    row('', scale.trimEnd()),
    row('sent', bars(perSecond(sent, seconds), most)),
    row('committed', bars(perSecond(committed, seconds), most)),
    row('subtasks', lastOfEach(subtasks, seconds).join('')),
    row('steps', letters(marks, seconds)),
    `  the tallest bar is ${most} orders in a second`,
    ...marks.map(({ atMs, title }, index) => `  ${letterOf(index)} ${(atMs / 1_000).toFixed(1).padStart(6)} s  ${title}`),
  ].join('\n');
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(10)}${text}`;
}

function perSecond(amounts: readonly Amount[], seconds: number): number[] {
  const sums = new Array<number>(seconds).fill(0);
  for (const { atMs, amount } of amounts) {
    const second = Math.floor(atMs / 1_000);
    if (second >= 0 && second < seconds) sums[second] = (sums[second] ?? 0) + amount;
  }
  return sums;
}

/** What is more than nothing has a bar. */
function bars(sums: readonly number[], most: number): string {
  return sums.map((sum) => BARS[Math.ceil((sum / most) * (BARS.length - 1))] ?? '').join('');
}

function lastOfEach(amounts: readonly Amount[], seconds: number): string[] {
  const ordered = amounts.toSorted((one, other) => one.atMs - other.atMs);
  return Array.from({ length: seconds }, (_, second) => {
    const { amount = 0 } = ordered.findLast(({ atMs }) => atMs < (second + 1) * 1_000) ?? {};
    return amount === 0 ? ' ' : String(Math.min(amount, 9));
  });
}

/** Of two in one second the later one moves on to the next that is free. */
function letters(marks: readonly Mark[], seconds: number): string {
  const columns: string[] = [];
  for (const [index, { atMs }] of marks.entries()) {
    let second = Math.floor(atMs / 1_000);
    while (columns[second] !== undefined) second++;
    columns[second] = letterOf(index);
  }
  return Array.from({ length: Math.max(seconds, columns.length) }, (_, second) => columns[second] ?? ' ')
    .join('')
    .trimEnd();
}

function letterOf(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index);
}
