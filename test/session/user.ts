import { CommandProcess, type LogLine } from '../support/command-process.ts';
import { type CommandRun, onceflow } from '../support/onceflow.ts';
import type { Amount, Mark } from './chart.ts';

const SHOWN_CHARS = 150;

/** Somebody at a terminal: says what is done, with the time, runs `onceflow`, and keeps what there is to draw. */
export class User {
  readonly marks: Mark[] = [];
  readonly #startMs = Date.now();
  readonly #report: (line: string) => unknown;
  readonly #started: CommandProcess[] = [];

  readonly #atExit = () => {
    for (const machine of this.#started) machine.killAtOnce();
  };

  constructor(report: (line: string) => unknown) {
    this.#report = report;
    process.once('exit', this.#atExit);
  }

  get nowMs(): number {
    return Date.now() - this.#startMs;
  }

  /** What comes now. */
  step(title: string): void {
    this.marks.push({ atMs: this.nowMs, title });
    this.say(title);
  }

  say(text: string): void {
    this.#report(`${(this.nowMs / 1_000).toFixed(1).padStart(6)} s  ${text}`);
  }

  /** Runs a command to its end and shows what it says. @throws Error: its exit code is another */
  async run(env: Readonly<Record<string, string>>, args: readonly string[], code = 0): Promise<CommandRun> {
    this.say(`$ onceflow ${args.join(' ')}`);
    const done = await onceflow(env, ...args);
    if (done.code !== code)
      throw new Error(`onceflow ${args.join(' ')} ended with exit code ${done.code}, not ${code}\n${done.stdout}${done.stderr}`);
    if (!args.includes('--json')) for (const line of done.stdout.trim().split('\n').slice(0, 3)) this.detail(line);
    return done;
  }

  /** What a command has said. */
  detail(line: string): void {
    this.#report(`            ${line.length > SHOWN_CHARS ? `${line.slice(0, SHOWN_CHARS)}…` : line}`);
  }

  /** A machine that runs the job, or stands by. */
  start(env: Readonly<Record<string, string>>, args: readonly string[]): CommandProcess {
    this.say(`$ onceflow ${args.join(' ')}`);
    const machine = new CommandProcess(args, env);
    this.#started.push(machine);
    return machine;
  }

  /** What all machines have logged. */
  get logged(): readonly LogLine[] {
    return this.#started.flatMap(({ lines }) => lines);
  }

  /** When something was logged, in milliseconds of this session. */
  atMs({ time }: LogLine): number {
    return Date.parse(String(time)) - this.#startMs;
  }

  since(epochMs: number): number {
    return epochMs - this.#startMs;
  }

  /** What it has started ends with it, also when this process is told to end. */
  async killAll(): Promise<void> {
    process.off('exit', this.#atExit);
    await Promise.all(this.#started.map((machine) => machine.killGroup()));
  }

  /** How many a stage has from when on. */
  subtasks(stage: string): Amount[] {
    const changes = this.logged.filter((line) => line['event'] === 'rescaled' && line['stage'] === stage);
    const [first] = changes;
    const atFirst = first === undefined ? [] : [{ atMs: 0, amount: Number(first['from']) }];
    return [...atFirst, ...changes.map((line) => ({ atMs: this.atMs(line), amount: Number(line['to']) }))];
  }

  committed(): Amount[] {
    return this.logged.flatMap((line) => {
      const { event, figures } = line as { event?: string; figures?: { recordsIn: number } };
      return event === 'committed' && figures !== undefined ? [{ atMs: this.atMs(line), amount: figures.recordsIn }] : [];
    });
  }
}
