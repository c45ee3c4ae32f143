import { once } from 'node:events';

type Params = Readonly<Record<string, unknown>>;

/** What of a Chrome DevTools Protocol message is looked at. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Params;
  readonly params?: Params;
}

/** A debugger that is connected to a process by its `ws://` address. */
export class DebuggerClient {
  readonly #socket: WebSocket;
  readonly #paused: Params[] = [];
  readonly #answers = new Map<number, (result: Params) => void>();
  #asked = 0;
  #wake = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Message));
  }

  static async connect(address: string): Promise<DebuggerClient> {
    const socket = new WebSocket(address);
    const client = new DebuggerClient(socket);
    await once(socket, 'open');
    return client;
  }

  ask(method: string, params: Params = {}): Promise<Params> {
    const id = ++this.#asked;
    const answer = Promise.withResolvers<Params>();
    this.#answers.set(id, answer.resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer.promise;
  }

  /** The innermost frame where the process has stopped. */
  async paused(): Promise<{ readonly callFrameId: string; readonly functionName: string }> {
    for (;;) {
      const [first] = this.#paused.splice(0, 1);
      const frames = first?.['callFrames'] as readonly { callFrameId: string; functionName: string }[] | undefined;
      const [innermost] = frames ?? [];
      if (innermost !== undefined) return innermost;
      await this.#wake.promise;
    }
  }

  close(): void {
    this.#socket.close();
  }

  #take({ id, method, result = {}, params = {} }: Message): void {
    if (id !== undefined) this.#answers.get(id)?.(result);
    if (method === 'Debugger.paused') this.#paused.push(params);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}
