import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { INSTALLED, installed, javaCommand } from '../../local/stack/installed.ts';

/** Who answers cases: the folder of its program, the program, and where its libraries are. */
const PEERS = {
  Flink: { folder: 'flink', program: 'FlinkCases', libraries: 'flink' },
  'Kafka Streams': { folder: 'streams', program: 'StreamsCases', libraries: 'kafka-streams' },
} as const;

/** A JVM with a peer's operators, for one case after the other. `Step` is what they take, `Output` what they give. */
export class PeerJvm<Step, Output> {
  readonly #peer: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  constructor(peer: keyof typeof PEERS) {
    this.#peer = peer;
    const { folder, program, libraries } = PEERS[peer];
    const own = join(installed('conformance', INSTALLED.conformance), folder);
    const jars = join(installed('bench-jars', INSTALLED.benchJars), libraries, '*');
    const path = [join(own, 'classes'), join(own, 'lib', '*'), jars].join(delimiter);
    const args = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
    this.#child = spawn(javaCommand(), [...args, '-cp', path, program], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve));
    // Of one that has ended there is no answer, and that is what is told.
    this.#child.stdin.on('error', () => {});
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Answers for each step what it gave. One at a time. */
  async ask(asked: { readonly operator: object; readonly steps: readonly Step[] }): Promise<readonly (readonly Output[])[]> {
    this.#child.stdin.write(`${JSON.stringify(asked)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`the JVM with ${this.#peer} ended`);
    const answer = JSON.parse(value) as { readonly outputs?: readonly (readonly Output[])[]; readonly error?: string };
    if (answer.outputs === undefined) throw new Error(`${this.#peer} failed at ${JSON.stringify(asked)}: ${answer.error}`);
    return answer.outputs;
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
  }
}
