import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { INSTALLED, installed, javaCommand } from '../../../local/stack/installed.ts';
import type { FlinkAnswer, FlinkCase } from './case.ts';

/** A JVM with Flink's operators, for one case after the other. */
export class FlinkJvm {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  constructor() {
    const folder = installed('conformance', INSTALLED.conformance);
    const flink = join(installed('bench-jars', INSTALLED.benchJars), 'flink', '*');
    const path = [join(folder, 'classes'), join(folder, 'lib', '*'), flink].join(delimiter);
    const args = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    this.#child = spawn(javaCommand(), [...args, '-cp', path, 'FlinkCases'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
    // Of one that has ended there is no answer, and that is what is told.
    this.#child.stdin.on('error', () => {});
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** One at a time. */
  async ask(asked: FlinkCase): Promise<FlinkAnswer> {
    this.#child.stdin.write(`${JSON.stringify(asked)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the JVM with Flink ended');
    const answer = JSON.parse(value) as { readonly outputs?: FlinkAnswer; readonly error?: string };
    if (answer.outputs === undefined) throw new Error(`Flink failed: ${answer.error}`);
    return answer.outputs;
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
  }
}
