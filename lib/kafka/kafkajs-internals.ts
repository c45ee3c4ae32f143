/**
 * The only place that knows kafkajs. Of it we use the connection (socket life cycle, request queue with timeouts and
 * throttling, SASL), the encoder and decoder, and the codecs of small requests. These are internals of version 2.2.4,
 * which is pinned; the types are ours. What we do not use: its cluster, broker and producer, because they repeat
 * requests on their own.
 */
// @ts-expect-error kafkajs declares no types for its internals
import kafkaJsConnection from 'kafkajs/src/network/connection.js';
// @ts-expect-error
import kafkaJsDecoder from 'kafkajs/src/protocol/decoder.js';
// @ts-expect-error
import kafkaJsEncoder from 'kafkajs/src/protocol/encoder.js';
// @ts-expect-error
import kafkaJsRequests from 'kafkajs/src/protocol/requests/index.js';

/** Writes big-endian values one behind another. Every method returns the encoder. */
export interface Encoder {
  readonly buffer: Buffer;
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: number | bigint | string): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeString(value: string | null): Encoder;
  writeBytes(value: Buffer | null): Encoder;
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

/** kafkajs's own `readTaggedFields` stops one byte early in each field. */
export function skipTaggedFields(decoder: Decoder): void {
  for (let left = decoder.readUVarInt(); left > 0; left--) {
    decoder.readUVarInt();
    const bytes = decoder.readUVarInt();
    decoder.offset += bytes;
  }
}

export interface KafkaJsMessage {
  readonly request: { readonly apiKey: number; readonly apiVersion: number; readonly apiName: string; encode(): Promise<Encoder> };
  /** `parse`, which throws on error codes, is left out: we read the codes. */
  readonly response: { decode(payload: Buffer): Promise<unknown> };
}

interface KafkaJsDefinition {
  protocol(options: { version: number }): (fields: object) => KafkaJsMessage;
}

const definitions = (kafkaJsRequests as { readonly requests: Readonly<Record<string, KafkaJsDefinition>> }).requests;

/** A request of kafkajs's in one version. */
export function kafkaJsMessage(name: string, version: number, fields: object): KafkaJsMessage {
  const definition = definitions[name];
  if (definition === undefined) throw new Error(`kafkajs has no request ${name}: its version is not the one that is pinned`);
  return definition.protocol({ version })(fields);
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
export interface KafkaJsConnection {
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

/** A login of our own instead of kafkajs's: `sasl.authenticationProvider`. The payload of an answer begins with its size. */
export type AuthenticationProvider = (broker: {
  saslAuthenticate<T>(exchange: {
    readonly request: { encode(): Promise<Buffer> };
    readonly response: { decode(payload: Buffer): Promise<T>; parse(decoded: T): Promise<T> };
  }): Promise<T>;
}) => { authenticate(): Promise<void> };

export const ConnectionClass = kafkaJsConnection as new (options: object) => KafkaJsConnection;

/**
 * kafkajs starts a timer with a negative delay after every response, which Node reports as a TimeoutNegativeWarning.
 * The timer is of use only while requests wait.
 */
export function keepTimersPositive(queue: RequestQueue): void {
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule.call(queue);
  };
}

/** A logger for kafkajs that passes on what it warns of. */
export function loggerFor(log: (message: string) => void): object {
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

/** Whether a request of kafkajs's own failed without an answer, rather than with one that says no. */
export function isConnectionFailure(error: Error): boolean {
  return error.name !== 'KafkaJSProtocolError' && error.name !== 'KafkaJSSASLAuthenticationError';
}

/** Whether it is the request timeout that failed a request. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'KafkaJSRequestTimeoutError';
}
