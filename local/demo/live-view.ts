import type { CoordinatorEvent } from '../../lib/epoch/progress/events.ts';
import { type MarkKind, RunHistory } from './run-history.ts';
import type { Visible } from './watch.ts';

const COLUMNS = 46;
const LAST_EVENTS = 8;
/** Of the picture of who works on which epoch, at most: its right end is now. */
const CHART_COLUMNS = 80;
const COLUMN_MS = 25;
const LABEL = 18;
const RESET = '\x1b[0m';
/** Lines that are too long for the terminal are cut by it, so that each takes one row. */
const CUT_LINES = '\x1b[?7l';
const WRAP_LINES = '\x1b[?7h';
const EPOCH_PAINTS = [34, 32, 33, 35, 36];
const RED = 31;
const MARKS: Readonly<Record<MarkKind, { readonly sign: string; readonly color: number }>> = {
  killed: { sign: 'K', color: RED },
  fenced: { sign: 'Z', color: RED },
  failed: { sign: '!', color: 33 },
  republished: { sign: 'R', color: 35 },
  started: { sign: '>', color: 36 },
};

const paint = (code: number, text: string) => (process.stdout.isTTY ? `\x1b[${code}m${text}${RESET}` : text);

/** What the demo shows while it runs: a picture that is drawn anew on a terminal, a line a second elsewhere. */
export class LiveView {
  readonly history: RunHistory;
  readonly #total: number;
  readonly #startedAt = Date.now();
  readonly #events: string[] = [];
  #drawnLines = 0;
  loaded = 0;
  epochs = 0;
  failures = 0;
  kills = 0;
  republished = 0;
  /** Of the last look at the output topic. */
  visible: Visible = { uncommitted: 0, committed: 0 };

  /** @param stages their ids, in the order in which an epoch goes through them */
  constructor(totalLines: number, stages: readonly string[]) {
    this.#total = totalLines;
    this.history = new RunHistory(stages);
  }

  /** Milliseconds since the start. */
  get nowMs(): number {
    return Date.now() - this.#startedAt;
  }

  take(event: CoordinatorEvent): void {
    this.history.take(event, this.nowMs);
    switch (event.event) {
      case 'lease-taken':
        return this.say(`generation ${event.generation} takes the lease; last completed epoch: ${event.lastCompleted ?? 'none'}`, 36);
      case 'recovered':
        this.republished += event.republished;
        if (event.epoch > 0) this.say(`recovered: epoch ${event.epoch} is committed${againOf(event.republished)}`, 36);
        return;
      case 'attempt-failed':
        this.failures++;
        return this.say(`epoch ${event.epoch} fails in ${event.stage} (${event.kind}): ${event.message.split('\n')[0]}`, 33);
      case 'doubtful':
        return this.say(
          `the commit of epoch ${event.epoch} was refused; the commit marker tells what became of it: ${event.resolution}`,
          35,
        );
      case 'committed':
        this.epochs++;
        this.republished += event.republished;
        if (event.republished > 0) this.say(`epoch ${event.epoch} is committed${againOf(event.republished)}`, 35);
        return;
      default:
        return;
    }
  }

  killed(name: string, pid: number): void {
    this.kills++;
    this.history.mark('killed', this.nowMs, `kill -9 ${name}`);
    this.say(`kill -9 ${name} (process ${pid})`, RED);
  }

  fenced(what: string): void {
    this.history.mark('fenced', this.nowMs, what);
    this.say(what, RED);
  }

  say(text: string, color = 0): void {
    const line = `${(this.nowMs / 1000).toFixed(1).padStart(5)} s  ${text}`;
    if (!process.stdout.isTTY) console.log(line);
    this.#events.push(paint(color, line.slice(0, (process.stdout.columns ?? 120) - 1)));
    if (this.#events.length > LAST_EVENTS) this.#events.shift();
  }

  draw(): void {
    const { uncommitted, committed } = this.visible;
    if (!process.stdout.isTTY) {
      this.say(
        `${this.loaded}/${this.#total} lines in, ${this.epochs} epochs, read_uncommitted sees ${uncommitted}, read_committed ${committed}; ${this.#working()}`,
      );
      return;
    }
    const most = Math.max(uncommitted, 1);
    const lines = [
      `lines loaded      ${bar(this.loaded / this.#total)} ${this.loaded} of ${this.#total}`,
      `read_uncommitted  ${bar(uncommitted / most)} ${uncommitted} offsets: also what is open or was aborted`,
      `read_committed    ${paint(32, bar(committed / most))} ${committed} offsets`,
      `epochs committed  ${this.epochs}   failed attempts ${this.failures}   kill -9 ${this.kills}   transactions published again ${this.republished}`,
      '',
      ...this.#chart(),
      '',
      ...this.#events,
    ];
    const up = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : '';
    process.stdout.write(`${CUT_LINES}${up}${lines.map((line) => `\x1b[2K${line}\n`).join('')}${WRAP_LINES}`);
    this.#drawnLines = lines.length;
  }

  /** Which stage works on which epoch at this moment. */
  #working(): string {
    return this.history.underWay.map(({ lane, epoch }) => `${lane} ${epoch}`).join(', ') || 'nothing under way';
  }

  /** The last two seconds: in the lane of each stage the epoch that it worked on. Two lanes at once are two epochs at once. */
  #chart(): string[] {
    const { history } = this;
    const columns = Math.max(1, Math.min(CHART_COLUMNS, process.stdout.columns - LABEL));
    const endMs = this.nowMs;
    const fromMs = endMs - columns * COLUMN_MS;
    const columnOf = (ms: number) => Math.floor((ms - fromMs) / COLUMN_MS);
    const empty = () => Array.from({ length: columns }, () => paint(90, '·'));
    const lanes = new Map(history.lanes.map((lane) => [lane, empty()]));
    for (const { lane, epoch, fromMs: begunMs, toMs = endMs, dropped } of history.bars) {
      if (toMs < fromMs) continue;
      const cell = dropped ? paint(90, 'x') : paint(EPOCH_PAINTS[epoch % EPOCH_PAINTS.length] ?? 0, String(epoch % 10));
      const cells = lanes.get(lane) ?? [];
      for (let column = Math.max(0, columnOf(begunMs)); column <= Math.min(columnOf(toMs), columns - 1); column++) cells[column] = cell;
    }
    const happened = Array.from({ length: columns }, () => ' ');
    for (const { kind, atMs } of history.marks) {
      if (atMs >= fromMs) happened[Math.min(columnOf(atMs), columns - 1)] = paint(MARKS[kind].color, MARKS[kind].sign);
    }
    return [
      `who works on which epoch (its last digit), the last ${(columns * COLUMN_MS) / 1000} s`,
      'x dropped   K kill -9   Z zombie   ! failed   R published again   > a coordinator starts',
      `${''.padEnd(LABEL)}${happened.join('')}`,
      ...[...lanes].map(([lane, cells]) => `${lane.padEnd(LABEL)}${cells.join('')}`),
      `at this moment    ${this.#working()}`,
    ];
  }
}

function againOf(republished: number): string {
  return republished === 0 ? '' : `, ${republished} transaction(s) published again`;
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * COLUMNS);
  return '█'.repeat(filled) + '░'.repeat(COLUMNS - filled);
}
