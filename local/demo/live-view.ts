import type { CoordinatorEvent } from '../../lib/epoch/events.ts';
import type { Visible } from './watch.ts';

const COLUMNS = 46;
const LAST_EVENTS = 8;
const RESET = '\x1b[0m';
const paint = (code: number, text: string) => (process.stdout.isTTY ? `\x1b[${code}m${text}${RESET}` : text);

/** What the demo shows while it runs: a picture that is drawn anew on a terminal, a line a second elsewhere. */
export class LiveView {
  readonly #total: number;
  readonly #startedAt = Date.now();
  readonly #events: string[] = [];
  /** Epochs that are planned and not committed, with the stage that each is in. */
  readonly #inFlight = new Map<number, string>();
  #drawnLines = 0;
  loaded = 0;
  epochs = 0;
  recordsOut = 0;
  failures = 0;
  kills = 0;
  republished = 0;
  /** Of the last look at the output topic. */
  visible: Visible = { uncommitted: 0, committed: 0 };

  constructor(totalLines: number) {
    this.#total = totalLines;
  }

  take(event: CoordinatorEvent): void {
    switch (event.event) {
      case 'lease-taken':
        this.#inFlight.clear();
        return this.say(`generation ${event.generation} takes the lease; last completed epoch: ${event.lastCompleted ?? 'none'}`, 36);
      case 'recovered':
        this.republished += event.republished;
        if (event.epoch > 0)
          this.say(
            `recovered: epoch ${event.epoch} is committed${event.republished > 0 ? `, ${event.republished} transaction(s) published again` : ''}`,
            36,
          );
        return;
      case 'planned':
        this.#inFlight.set(event.epoch, 'planned');
        return;
      case 'stage-started':
        this.#inFlight.set(event.epoch, event.stage);
        return;
      case 'attempt-failed':
        this.failures++;
        for (const epoch of this.#inFlight.keys()) if (epoch >= event.epoch) this.#inFlight.delete(epoch);
        return this.say(`epoch ${event.epoch} fails in ${event.stage} (${event.kind}): ${event.message.split('\n')[0]}`, 33);
      case 'decided':
        this.#inFlight.set(event.epoch, 'decided, not committed');
        return;
      case 'committed':
        this.epochs++;
        this.republished += event.republished;
        this.#inFlight.delete(event.epoch);
        return;
      default:
        return;
    }
  }

  say(text: string, color = 0): void {
    const line = `${((Date.now() - this.#startedAt) / 1000).toFixed(1).padStart(5)} s  ${text}`;
    if (!process.stdout.isTTY) console.log(line);
    this.#events.push(paint(color, line.slice(0, (process.stdout.columns ?? 120) - 1)));
    if (this.#events.length > LAST_EVENTS) this.#events.shift();
  }

  draw(): void {
    const { uncommitted, committed } = this.visible;
    const flight = [...this.#inFlight].map(([epoch, stage]) => `${epoch}: ${stage}`).join('   ') || 'none';
    if (!process.stdout.isTTY) {
      this.say(
        `${this.loaded}/${this.#total} lines in, ${this.epochs} epochs, read_uncommitted sees ${uncommitted}, read_committed ${committed}; in flight: ${flight}`,
      );
      return;
    }
    const most = Math.max(uncommitted, 1);
    const lines = [
      `lines loaded      ${bar(this.loaded / this.#total)} ${this.loaded} of ${this.#total}`,
      `read_uncommitted  ${bar(uncommitted / most)} ${uncommitted} offsets: also what is open or was aborted`,
      `read_committed    ${paint(32, bar(committed / most))} ${committed} offsets`,
      `epochs committed  ${this.epochs}   failed attempts ${this.failures}   kill -9 ${this.kills}   transactions published again ${this.republished}`,
      `epochs in flight  ${flight}`,
      '',
      ...this.#events,
    ];
    const up = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : '';
    process.stdout.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join('')}`);
    this.#drawnLines = lines.length;
  }
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * COLUMNS);
  return '█'.repeat(filled) + '░'.repeat(COLUMNS - filled);
}
