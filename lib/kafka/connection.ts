import net from 'node:net';
import tls from 'node:tls';
import { type BrokerAddress, brokerText } from '../config/broker-address.ts';
import type { Credentials } from '../ports/credentials.ts';
import { reasonOf } from '../ports/reason.ts';
import { codecs } from './codecs.ts';
import {
  ConnectionClass,
  isConnectionFailure,
  isTimeout,
  keepTimersPositive,
  loggerFor,
  newDecoder,
  newEncoder,
  skipTaggedFields,
} from './kafkajs-internals.ts';
import { oauthBearer, RefusedToken } from './oauth-bearer.ts';
import { CORRELATION_BYTES, ResponseReader } from './response-reader.ts';
import { type Api, NoAnswer, type WireRequest } from './wire-request.ts';

/** TLS: `true` for the system's certificate authorities, or options of `tls.connect`. */
export type SslOptions = boolean | tls.ConnectionOptions;

/** The login of one connection. The token is asked for again when the broker wants the login repeated. */
export type ConnectionLogin =
  | ({ readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512' } & Credentials)
  | { readonly mechanism: 'oauthbearer'; readonly token: () => Promise<{ readonly value: string }> };

export interface ConnectionOptions {
  readonly clientId: string;
  readonly ssl: SslOptions | undefined;
  readonly requestTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  /** What kafkajs warns of. */
  readonly log: (message: string) => void;
}

/**
 * We are not let in, or do not go in. `login`: wrong credentials, or a mechanism that the broker does not offer;
 * `certificate`: the broker's is not to be trusted; `credentials`: there are none to log in with.
 */
export class LoginRefused {
  readonly what: 'login' | 'certificate' | 'credentials';
  readonly reason: string;
  constructor(what: LoginRefused['what'], reason: string) {
    this.what = what;
    this.reason = reason;
  }
}

export interface BrokerConnection {
  /** False once the socket has ended or failed. */
  isAlive(): boolean;
  requestsUnderWay(): number;
  /** The versions of a request that the broker knows; undefined when it does not know the request. */
  versionsOf(api: Api): { readonly min: number; readonly max: number } | undefined;
  /** Writes the request; requests reach the socket in the order of the calls. The connection is unusable after NoAnswer. */
  exchange<T>(request: WireRequest<T>): Promise<T | NoAnswer>;
  /** Ends the connection at once; requests under way get NoAnswer. */
  drop(reason: string): void;
}

const SIZE_BYTES = 4;
const KEEP_ALIVE_DELAY_MS = 60_000;

/**
 * kafkajs's connection with three changes: requests go out in pieces, without its two copies of every byte; responses
 * are read into place (kafkajs joins 64 KB chunks, and keeps the last response alive until the next); and a socket that
 * has ended counts as dead at once.
 */
class Connection extends ConnectionClass implements BrokerConnection {
  readonly #options: ConnectionOptions;
  readonly #hasLogin: boolean;
  readonly #broker: string;
  readonly #reader = new ResponseReader();
  #socket: net.Socket | undefined;
  #versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>> = {};
  #loginFailure: Error | undefined;

  constructor({ host, port }: BrokerAddress, options: ConnectionOptions, login: ConnectionLogin | undefined) {
    super({
      host,
      port,
      logger: loggerFor(options.log),
      socketFactory: (place: SocketPlace) => this.#openSocket(place),
      requestTimeout: options.requestTimeoutMs,
      connectionTimeout: options.connectionTimeoutMs,
      enforceRequestTimeout: true,
      clientId: options.clientId,
      ssl: options.ssl === true ? {} : options.ssl || null,
      sasl: saslOf(login),
    });
    this.#options = options;
    this.#hasLogin = login !== undefined;
    this.#broker = brokerText({ host, port });
    keepTimersPositive(this.requestQueue);
  }

  /** Connects, learns the broker's versions, logs in. */
  async open(): Promise<NoAnswer | LoginRefused | undefined> {
    try {
      await this.connect();
    } catch (error) {
      this.drop('could not connect');
      return isUntrusted(error) ? new LoginRefused('certificate', reasonOf(error)) : new NoAnswer(reasonOf(error));
    }
    const known = await this.#exchangeNow(await codecs.apiVersions());
    if (known instanceof NoAnswer) return known;
    this.#versions = Object.fromEntries(known.apiVersions.map(({ apiKey, ...versions }) => [apiKey, versions]));
    if (!this.#hasLogin) return undefined;
    this.setVersions(this.#versions);
    this.setSupportAuthenticationProtocol(true);
    return this.#logIn();
  }

  async #logIn(): Promise<NoAnswer | LoginRefused | undefined> {
    try {
      await this.authenticate();
      return undefined;
    } catch (error) {
      this.drop('the login failed');
      // kafkajs reports every failure as a refusal; the request that failed tells a broker that went away from one that refused.
      const cause = error instanceof RefusedToken ? undefined : this.#loginFailure;
      if (cause !== undefined && isConnectionFailure(cause)) return new NoAnswer(cause.message);
      return new LoginRefused('login', reasonOf(error));
    }
  }

  /** kafkajs's authenticators send through this. */
  override async send(message: object): Promise<unknown> {
    try {
      return await super.send(message);
    } catch (error) {
      this.#loginFailure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  isAlive(): boolean {
    return this.#socket !== undefined && !this.#socket.destroyed && this.isConnected();
  }

  requestsUnderWay(): number {
    return this.requestQueue.inflight.size + this.requestQueue.pending.length;
  }

  versionsOf(api: Api): { readonly min: number; readonly max: number } | undefined {
    const versions = this.#versions[api.key];
    return versions === undefined ? undefined : { min: versions.minVersion, max: versions.maxVersion };
  }

  async exchange<T>(request: WireRequest<T>): Promise<T | NoAnswer> {
    if (this.#hasLogin) {
      // At once unless the session is about to expire. All callers wait for the same promise, so they stay in order.
      const refused = await this.#logIn();
      if (refused !== undefined) return new NoAnswer(refused.reason);
    }
    return this.#exchangeNow(request);
  }

  async #exchangeNow<T>(request: WireRequest<T>): Promise<T | NoAnswer> {
    try {
      const payload = await this.#write(request);
      const response = await request.decode(request.api.flexible ? withoutHeaderTags(payload) : payload);
      this.requestQueue.maybeThrottle(request.throttleMs(response));
      return response;
    } catch (error) {
      // The same error for all that were under way: their time is over with this one's.
      this.#end(error instanceof Error ? error : new Error(reasonOf(error)));
      return new NoAnswer(reasonOf(error), isTimeout(error));
    }
  }

  #write<T>({ api, body, heldMs }: WireRequest<T>): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket;
      if (socket === undefined || !this.isAlive()) throw new Error('the connection has ended');
      const correlationId = this.nextCorrelationId();
      const header = requestHeader(api, correlationId, this.#options.clientId, body);
      this.requestQueue.push({
        entry: {
          apiKey: api.key,
          apiName: api.name,
          apiVersion: api.version,
          correlationId,
          resolve: ({ payload }) => resolve(payload),
          reject,
        },
        expectResponse: true,
        requestTimeout: this.#options.requestTimeoutMs + heldMs,
        sendRequest() {
          socket.cork();
          socket.write(header);
          for (const piece of body) socket.write(piece);
          socket.uncork();
        },
      });
    });
  }

  #received(count: number): void {
    try {
      for (const response of this.#reader.responses(count)) {
        this.requestQueue.fulfillRequest({
          size: response.length,
          correlationId: response.readInt32BE(0),
          payload: response.subarray(CORRELATION_BYTES),
        });
      }
    } catch (error) {
      this.drop(reasonOf(error));
    }
  }

  drop(reason: string): void {
    this.#end(new Error(reason));
  }

  #end(error: Error): void {
    this.#socket?.destroy();
    this.connectionStatus = 'disconnected';
    this.rejectRequests(error);
    this.requestQueue.destroy();
  }

  #openSocket({ host, port, ssl, onConnect }: SocketPlace): net.Socket {
    const onread = {
      buffer: () => this.#reader.space(),
      callback: (count: number) => {
        this.#received(count);
        return true;
      },
    };
    const place = { host, port, onread };
    const socket = ssl
      ? tls.connect({ ...place, ...(net.isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : net.connect(place, onConnect);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    // Ours comes first: kafkajs hands on what the message says and nothing else.
    socket.once('error', (error) => {
      error.message = reasonOf(error);
    });
    socket.once('end', () => this.drop(`${this.#broker} closed the connection`));
    this.#socket = socket;
    return socket;
  }
}

interface SocketPlace {
  readonly host: string;
  readonly port: number;
  readonly ssl: tls.ConnectionOptions | null;
  readonly onConnect: () => void;
}

/** Connects to a broker, learns the versions that it knows, and logs in if there are credentials. */
export async function openConnection(
  address: BrokerAddress,
  options: ConnectionOptions,
  login: ConnectionLogin | undefined,
): Promise<BrokerConnection | NoAnswer | LoginRefused> {
  const connection = new Connection(address, options, login);
  return (await connection.open()) ?? connection;
}

/** Of kafkajs, which writes into the object. */
function saslOf(login: ConnectionLogin | undefined): object | null {
  if (login === undefined) return null;
  return login.mechanism === 'oauthbearer'
    ? { mechanism: login.mechanism, authenticationProvider: oauthBearer(login.token) }
    : { ...login };
}

/** OpenSSL's and Node's names for a certificate that does not hold. */
const UNTRUSTED = /SELF_SIGNED_CERT|^CERT_|^ERR_TLS_CERT|^UNABLE_TO_(GET_ISSUER|VERIFY)|^(INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)$/;

function isUntrusted(error: unknown): boolean {
  return UNTRUSTED.test(String((error as { readonly code?: unknown }).code));
}

/** Size and header of a request, in one piece. */
function requestHeader(api: Api, correlationId: number, clientId: string, body: readonly Uint8Array[]): Buffer {
  const header = newEncoder().writeInt32(0).writeInt16(api.key).writeInt16(api.version).writeInt32(correlationId).writeString(clientId);
  if (api.flexible) header.writeUVarInt(0);
  const bytes = header.buffer;
  bytes.writeInt32BE(
    body.reduce((sum, piece) => sum + piece.length, bytes.length - SIZE_BYTES),
    0,
  );
  return bytes;
}

/** What follows the tagged fields of a flexible response's header. */
function withoutHeaderTags(payload: Buffer): Buffer {
  const decoder = newDecoder(payload);
  skipTaggedFields(decoder);
  return payload.subarray(decoder.offset);
}
