import { type BrokerAddress, brokerText } from '../config/broker-address.ts';
import { ageMs, type Moment, momentOf } from '../ports/age.ts';
import type { Clock } from '../ports/clock.ts';
import { type BrokerConnection, type ConnectionOptions, LoginRefused } from './connection.ts';
import { type Admission, connectAndLogIn } from './log-in.ts';
import { type Login, loginProblem, tooOldProblem } from './problems.ts';
import { NoAnswer, type WireRequest } from './wire-request.ts';

export interface LinkOptions {
  readonly connection: ConnectionOptions;
  readonly login: Login;
  /** One for all links of a client. */
  readonly admission: Admission;
  readonly clock: Clock;
  /** A connection that was idle for longer is replaced before it is used. */
  readonly maxIdleMs: number;
  readonly log: (message: string) => void;
}

const CLOSED = 'this client was closed';

/**
 * One connection to one broker, opened when a request needs it and dropped when it fails. A connection that lay idle is
 * not trusted: the process may have been frozen meanwhile, and a request that is written to a dead socket would wait
 * for its whole timeout and leave open whether it was carried out.
 */
export class BrokerLink {
  readonly #address: BrokerAddress;
  readonly #options: LinkOptions;
  /** The promise, once settled, stays for later requests: all wait for the same one, and so stay in order. */
  #opening: Promise<BrokerConnection | NoAnswer | LoginRefused> | undefined;
  #connection: BrokerConnection | undefined;
  #used: Moment;
  #failing = false;
  #closed = false;

  constructor(address: BrokerAddress, options: LinkOptions) {
    this.#address = address;
    this.#options = options;
    this.#used = momentOf(options.clock);
  }

  get broker(): string {
    return brokerText(this.#address);
  }

  isOpen(): boolean {
    return this.#connection?.isAlive() === true;
  }

  /**
   * Sends the request, once. Requests reach the socket in the order of the calls, without waiting for each other's
   * answers. Throws `KafkaProblem` when the broker does not know the request, or refuses the login for good.
   */
  async send<T>(request: WireRequest<T>): Promise<T | NoAnswer> {
    if (this.#closed) return new NoAnswer(CLOSED);
    this.#dropStale();
    this.#opening ??= this.#open();
    const connection = await this.#opening;
    if (connection instanceof LoginRefused) {
      const problem = loginProblem(this.#options.login, this.broker, connection);
      if (this.#options.admission.refusalIsFinal()) throw problem;
      return this.#failed(request, new NoAnswer(problem.message));
    }
    if (connection instanceof NoAnswer) return this.#failed(request, connection);
    const { version } = request.api;
    const known = connection.versionsOf(request.api);
    if (known === undefined || version < known.min || version > known.max) throw tooOldProblem(this.broker, request.api, known);
    this.#used = momentOf(this.#options.clock);
    const response = await connection.exchange(request);
    if (response instanceof NoAnswer) return this.#failed(request, response);
    this.#used = momentOf(this.#options.clock);
    if (this.#failing) this.#options.log(`broker ${this.broker} answers again`);
    this.#failing = false;
    return response;
  }

  /**
   * For requests that change nothing. A connection that was open may have died unseen, which says nothing about the
   * broker: after such a failure there is a second try on a new one. Not when the time ran out, which is what a broker that
   * hangs does: waiting for it twice would take the caller the time to ask another.
   */
  async read<T>(request: WireRequest<T>): Promise<T | NoAnswer> {
    const wasOpen = this.isOpen();
    const response = await this.send(request);
    return response instanceof NoAnswer && wasOpen && !response.timedOut ? this.send(request) : response;
  }

  /** Ends the connection; requests under way get NoAnswer. */
  close(): void {
    this.#closed = true;
    this.#connection?.drop(CLOSED);
    this.#forget();
  }

  #dropStale(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const idle = connection.requestsUnderWay() === 0 && ageMs(this.#options.clock, this.#used) > this.#options.maxIdleMs;
    if (connection.isAlive() && !idle) return;
    connection.drop('idle');
    this.#forget();
  }

  async #open(): Promise<BrokerConnection | NoAnswer | LoginRefused> {
    const { connection, login, admission, clock } = this.#options;
    const opened = await connectAndLogIn(this.#address, connection, login.sasl).catch((error: unknown) => {
      this.#forget();
      throw error;
    });
    if (opened instanceof NoAnswer || opened instanceof LoginRefused) this.#forget();
    else if (this.#closed) opened.drop(CLOSED);
    else this.#connection = opened;
    if (!(opened instanceof NoAnswer || opened instanceof LoginRefused)) admission.granted();
    this.#used = momentOf(clock);
    return opened;
  }

  #forget(): void {
    this.#opening = undefined;
    this.#connection = undefined;
  }

  /** Says it once, not at every repetition. */
  #failed<T>(request: WireRequest<T>, { reason, timedOut }: NoAnswer): NoAnswer {
    if (!this.#failing) this.#options.log(`no answer to ${request.api.name} from broker ${this.broker}: ${reason}`);
    this.#failing = true;
    return new NoAnswer(`${this.broker}: ${reason}`, timedOut);
  }
}
