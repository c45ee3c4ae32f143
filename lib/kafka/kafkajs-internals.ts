/**
 * The only place that knows kafkajs. Of it we use the connection (socket life cycle, request queue with timeouts and
 * throttling, SASL), the encoder and decoder, and the codecs of small requests. These are internals of version 2.2.4,
 * which is pinned; the types are ours. What we do not use: its cluster, broker and producer, because they repeat
 * requests on their own.
 */
import net from 'node:net';
import tls from 'node:tls';
// @ts-expect-error kafkajs declares no types for its internals
import kafkaJsConnection from 'kafkajs/src/network/connection.js';
// @ts-expect-error
import kafkaJsDecoder from 'kafkajs/src/protocol/decoder.js';
// @ts-expect-error
import kafkaJsEncoder from 'kafkajs/src/protocol/encoder.js';
// @ts-expect-error
import kafkaJsRequests from 'kafkajs/src/protocol/requests/index.js';
import { type Api, NoAnswer, type WireRequest } from './wire-request.ts';

/** Writes big-endian values one behind another. Every method returns the encoder. */
export interface Encoder {
  readonly buffer: Buffer;
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: number | bigint | string): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeString(value: string | null): Encoder;
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string | null): Encoder;
}

export interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readString(): string | null;
  /** A view; null when the length is -1. */
  readBytes(): Buffer | null;
  /** Empty also when the array is null. */
  readArray<T>(read: (decoder: Decoder) => T): T[];
  readUVarInt(): number;
  readUVarIntString(): string | null;
  readUVarIntArray<T>(read: (decoder: Decoder) => T): T[] | null;
}

const EncoderClass = kafkaJsEncoder as new (initialBytes?: number) => Encoder;
const DecoderClass = kafkaJsDecoder as new (buffer: Buffer) => Decoder;

export function newEncoder(): Encoder {
  return new EncoderClass();
}

export function newDecoder(buffer: Buffer): Decoder {
  return new DecoderClass(buffer);
}

// ---- Codecs of small requests, each in the newest version that kafkajs has; brokers from 2.5 to 4.x know all of them.

interface KafkaJsMessage {
  readonly request: { readonly apiKey: number; readonly apiVersion: number; readonly apiName: string; encode(): Promise<Encoder> };
  /** `parse`, which throws on error codes, is left out: we read the codes. */
  readonly response: { decode(payload: Buffer): Promise<unknown> };
}

interface KafkaJsDefinition {
  protocol(options: { version: number }): (fields: object) => KafkaJsMessage;
}

const definitions = (kafkaJsRequests as { readonly requests: Readonly<Record<string, KafkaJsDefinition>> }).requests;

interface ClientThrottled {
  readonly clientSideThrottleTime?: number;
}

async function kafkaJsRequest<T extends ClientThrottled>(name: string, version: number, fields: object): Promise<WireRequest<T>> {
  const definition = definitions[name];
  if (definition === undefined) throw new Error(`kafkajs has no request ${name}: its version is not the one that is pinned`);
  const { request, response } = definition.protocol({ version })(fields);
  return {
    api: { key: request.apiKey, name, version: request.apiVersion, flexible: false },
    body: [(await request.encode()).buffer],
    decode: (payload) => response.decode(payload) as Promise<T>,
    throttleMs: ({ clientSideThrottleTime }) => clientSideThrottleTime ?? 0,
    heldMs: 0,
  };
}

interface OnTopics<P> {
  readonly topic: string;
  readonly partitions: readonly P[];
}

interface ProducerFields {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

interface Coded extends ClientThrottled {
  readonly errorCode: number;
}

interface CodedPartition {
  readonly partition: number;
  readonly errorCode: number;
}

export interface MetadataResponse extends ClientThrottled {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly { readonly partitionErrorCode: number; readonly partitionId: number; readonly leader: number }[];
  }[];
}

export interface FindCoordinatorResponse extends Coded {
  readonly errorMessage: string | null;
  readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number };
}

export interface DescribeConfigsResponse extends ClientThrottled {
  readonly resources: readonly {
    readonly errorCode: number;
    readonly errorMessage: string | null;
    readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
  }[];
}

export interface ListOffsetsResponse extends ClientThrottled {
  readonly responses: readonly OnTopics<CodedPartition & { readonly offset: string }>[];
}

export const codecs = {
  apiVersions: () =>
    kafkaJsRequest<Coded & { readonly apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[] }>(
      'ApiVersions',
      2,
      {},
    ),
  /** No topic: only the brokers (kafkajs would ask for every topic). */
  async metadata(topics: readonly string[]): Promise<WireRequest<MetadataResponse>> {
    const request = await kafkaJsRequest<MetadataResponse>('Metadata', 6, { topics, allowAutoTopicCreation: false });
    return topics.length > 0 ? request : { ...request, body: [newEncoder().writeInt32(0).writeBoolean(false).buffer] };
  },
  findCoordinator: (kind: 'group' | 'transaction', key: string) =>
    kafkaJsRequest<FindCoordinatorResponse>('GroupCoordinator', 2, { groupId: key, coordinatorType: kind === 'group' ? 0 : 1 }),
  initProducerId: (transactionalId: string, transactionTimeoutMs: number) =>
    kafkaJsRequest<Coded & { readonly producerId: string; readonly producerEpoch: number }>('InitProducerId', 1, {
      transactionalId,
      transactionTimeout: transactionTimeoutMs,
    }),
  addPartitionsToTxn: (fields: ProducerFields & { readonly topics: readonly OnTopics<number>[] }) =>
    kafkaJsRequest<ClientThrottled & { readonly errors: readonly { readonly partitionErrors: readonly CodedPartition[] }[] }>(
      'AddPartitionsToTxn',
      1,
      fields,
    ),
  addOffsetsToTxn: (fields: ProducerFields & { readonly groupId: string }) => kafkaJsRequest<Coded>('AddOffsetsToTxn', 1, fields),
  txnOffsetCommit: (
    fields: ProducerFields & {
      readonly groupId: string;
      readonly topics: readonly OnTopics<{ partition: number; offset: number; metadata: string }>[];
    },
  ) => kafkaJsRequest<ClientThrottled & { readonly topics: readonly OnTopics<CodedPartition>[] }>('TxnOffsetCommit', 1, fields),
  endTxn: (fields: ProducerFields & { readonly transactionResult: boolean }) => kafkaJsRequest<Coded>('EndTxn', 1, fields),
  /** As a client that is no member of the group. */
  offsetCommit: (groupId: string, topics: readonly OnTopics<{ partition: number; offset: number; metadata: string }>[]) =>
    kafkaJsRequest<ClientThrottled & { readonly responses: readonly OnTopics<CodedPartition>[] }>('OffsetCommit', 5, {
      groupId,
      groupGenerationId: -1,
      memberId: '',
      topics,
    }),
  /** Timestamp -2: the log's start. -1: its end, which for read_committed is the last stable offset. */
  listOffsets: (topic: string, partitions: readonly number[], timestamp: -1 | -2) =>
    kafkaJsRequest<ListOffsetsResponse>('ListOffsets', 3, {
      isolationLevel: 1,
      topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
    }),
  describeConfigs: (kind: 'topic' | 'broker', name: string, configNames: readonly string[]) =>
    kafkaJsRequest<DescribeConfigsResponse>('DescribeConfigs', 2, {
      resources: [{ type: kind === 'topic' ? 2 : 4, name, configNames }],
      includeSynonyms: false,
    }),
};

// ---- The connection

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** TLS: `true` for the system's certificate authorities, or options of `tls.connect`. */
export type SslOptions = boolean | tls.ConnectionOptions;

export type SaslOptions =
  | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string }
  | { readonly mechanism: 'oauthbearer'; readonly oauthBearerProvider: () => Promise<{ readonly value: string }> };

export interface ConnectionOptions {
  readonly clientId: string;
  readonly ssl: SslOptions | undefined;
  readonly sasl: SaslOptions | undefined;
  readonly requestTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  /** What kafkajs warns of. */
  readonly log: (message: string) => void;
}

/** The broker was reached but does not let us in: wrong credentials, or a mechanism that it does not offer. */
export class LoginRefused {
  readonly reason: string;
  constructor(reason: string) {
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

interface SocketRequest {
  readonly entry: {
    readonly apiKey: number;
    readonly apiName: string;
    readonly apiVersion: number;
    readonly correlationId: number;
    resolve(answer: { readonly payload: Buffer }): void;
    reject(error: Error): void;
  };
  readonly expectResponse: boolean;
  readonly requestTimeout: number;
  sendRequest(): void;
}

interface RequestQueue {
  readonly inflight: ReadonlyMap<number, unknown>;
  readonly pending: readonly unknown[];
  push(request: SocketRequest): void;
  fulfillRequest(response: { readonly correlationId: number; readonly payload: Buffer; readonly size: number }): void;
  maybeThrottle(ms: number): void;
  scheduleCheckPendingRequests(): void;
  destroy(): void;
}

/** The part of kafkajs's Connection that we use. */
interface KafkaJsConnection {
  readonly requestQueue: RequestQueue;
  connectionStatus: string;
  connect(): Promise<unknown>;
  authenticate(): Promise<void>;
  send(message: object): Promise<unknown>;
  setVersions(versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>>): void;
  setSupportAuthenticationProtocol(isSupported: boolean): void;
  isConnected(): boolean;
  nextCorrelationId(): number;
  rejectRequests(error: Error): void;
}

const ConnectionClass = kafkaJsConnection as new (options: object) => KafkaJsConnection;

/** Larger than any response that we ask for, smaller than what the first bytes of HTTP or of a TLS alert read as. */
const MAX_RESPONSE_BYTES = 0x1000_0000;
const SIZE_BYTES = 4;
const CORRELATION_BYTES = 4;
const SCRATCH_BYTES = 64 * 1024;
const KEEP_ALIVE_DELAY_MS = 60_000;

/**
 * kafkajs's connection with three changes: requests go out in pieces, without its two copies of every byte; responses
 * are read into place (kafkajs joins 64 KB chunks, and keeps the last response alive until the next); and a socket that
 * has ended counts as dead at once.
 */
class Connection extends ConnectionClass implements BrokerConnection {
  readonly #options: ConnectionOptions;
  readonly #broker: string;
  readonly #reader = new ResponseReader();
  #socket: net.Socket | undefined;
  #versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>> = {};
  #loginFailure: Error | undefined;

  constructor({ host, port }: BrokerAddress, options: ConnectionOptions) {
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
      // kafkajs writes into the object.
      sasl: options.sasl === undefined ? null : { ...options.sasl },
    });
    this.#options = options;
    this.#broker = `${host}:${port}`;
    keepTimersPositive(this.requestQueue);
  }

  /** Connects, learns the broker's versions, logs in. */
  async open(): Promise<NoAnswer | LoginRefused | undefined> {
    try {
      await this.connect();
    } catch (error) {
      this.drop('could not connect');
      return new NoAnswer(messageOf(error));
    }
    const known = await this.#exchangeNow(await codecs.apiVersions());
    if (known instanceof NoAnswer) {
      // What a plaintext client sees of a TLS or SASL listener, and the other way round.
      return new NoAnswer(`${known.reason}, right after connecting (does the listener expect TLS or SASL?)`);
    }
    this.#versions = Object.fromEntries(known.apiVersions.map(({ apiKey, ...versions }) => [apiKey, versions]));
    if (this.#options.sasl === undefined) return undefined;
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
      const cause = this.#loginFailure;
      if (cause !== undefined && isConnectionFailure(cause)) return new NoAnswer(cause.message);
      return new LoginRefused(messageOf(error));
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
    if (this.#options.sasl !== undefined) {
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
      const reason = messageOf(error);
      this.drop(reason);
      return new NoAnswer(reason);
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
      this.drop(messageOf(error));
    }
  }

  drop(reason: string): void {
    this.#socket?.destroy();
    this.connectionStatus = 'disconnected';
    this.rejectRequests(new Error(reason));
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
): Promise<BrokerConnection | NoAnswer | LoginRefused> {
  const connection = new Connection(address, options);
  return (await connection.open()) ?? connection;
}

/**
 * Where a connection's bytes are read into, and the responses that they make up. A large response is read straight into
 * a buffer of its size, by reads as large as what the socket has: neither 64 KB chunks nor a copy to join them.
 */
export class ResponseReader {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** Bytes in `scratch` of a response whose rest is not there yet. */
  #held = 0;
  #response: Buffer | undefined;
  #filled = 0;

  /** Where to put the next bytes. */
  space(): Buffer {
    return this.#response === undefined ? this.#scratch.subarray(this.#held) : this.#response.subarray(this.#filled);
  }

  /** `count` bytes were put there. Responses that they complete, without their size. Throws when they cannot be a Kafka broker's. */
  *responses(count: number): Generator<Buffer> {
    if (this.#response !== undefined) {
      this.#filled += count;
      if (this.#filled < this.#response.length) return;
      const response = this.#response;
      this.#response = undefined;
      yield response;
      return;
    }
    const end = this.#held + count;
    let position = 0;
    while (end - position >= SIZE_BYTES) {
      const size = this.#scratch.readUInt32BE(position);
      if (size < CORRELATION_BYTES || size > MAX_RESPONSE_BYTES)
        throw new Error(`answered with bytes that are not Kafka's protocol (a response of ${size} bytes)`);
      position += SIZE_BYTES;
      const response = Buffer.allocUnsafe(size);
      const there = this.#scratch.copy(response, 0, position, Math.min(end, position + size));
      position += there;
      if (there < size) {
        this.#response = response;
        this.#filled = there;
      } else {
        yield response;
      }
    }
    this.#held = this.#scratch.copy(this.#scratch, 0, position, end);
  }
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

/** kafkajs's own `readTaggedFields` stops one byte early in each field. */
export function skipTaggedFields(decoder: Decoder): void {
  for (let left = decoder.readUVarInt(); left > 0; left--) {
    decoder.readUVarInt();
    const bytes = decoder.readUVarInt();
    decoder.offset += bytes;
  }
}

/**
 * kafkajs starts a timer with a negative delay after every response, which Node reports as a TimeoutNegativeWarning.
 * The timer is of use only while requests wait.
 */
function keepTimersPositive(queue: RequestQueue): void {
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule.call(queue);
  };
}

function loggerFor(log: (message: string) => void): object {
  const ignore = () => {};
  const logger = {
    namespace: () => logger,
    setLogLevel: ignore,
    debug: ignore,
    info: ignore,
    warn: (message: string, details: { readonly broker?: string } = {}) =>
      log(`kafkajs: ${message} (${details.broker ?? 'broker unknown'})`),
    // Every error that kafkajs logs it also throws.
    error: ignore,
  };
  return logger;
}

function isConnectionFailure(error: Error): boolean {
  return error.name !== 'KafkaJSProtocolError' && error.name !== 'KafkaJSSASLAuthenticationError';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
