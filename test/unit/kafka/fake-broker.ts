import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { newDecoder, newEncoder, skipTaggedFields } from '../../../lib/kafka/kafkajs-internals.ts';

/** Request keys of the protocol. */
export const KEY = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetFetch: 9,
  findCoordinator: 10,
  saslHandshake: 17,
  apiVersions: 18,
  initProducerId: 22,
  endTxn: 26,
  describeConfigs: 32,
  saslAuthenticate: 36,
} as const;

export interface ReceivedRequest {
  readonly key: number;
  readonly version: number;
  readonly clientId: string | null;
  /** What follows the header. */
  readonly body: Buffer;
  /** Which connection it came on, counted from 0. */
  readonly connection: number;
}

/** The response behind its header; `silence`: none; `close`: the connection ends instead. */
export type Reply = Buffer | 'silence' | 'close';

export interface FakeBroker {
  readonly address: string;
  readonly port: number;
  readonly received: ReceivedRequest[];
  /** How many connections were made, ever. */
  readonly connections: () => number;
  readonly openConnections: () => number;
  /** Ends every connection. */
  reset(): void;
  /** As SIGSTOP does: connections are made and stay open, and nothing is answered. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

export interface FakeBrokerOptions {
  readonly reply: (request: ReceivedRequest) => Reply | Promise<Reply>;
  /** By request key, the newest version. @default as new as a broker gets */
  readonly newest?: Readonly<Record<number, number>>;
  /** What ApiVersions waits for. */
  readonly greeting?: Promise<void>;
  readonly tls?: tls.TlsOptions;
  readonly port?: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
}

/** A TCP server that speaks as much of Kafka's protocol as a test tells it to; ApiVersions it answers itself. */
export async function startFakeBroker({
  reply,
  newest = {},
  greeting,
  tls: tlsOptions,
  port = 0,
  host = '127.0.0.1',
}: FakeBrokerOptions): Promise<FakeBroker> {
  const received: ReceivedRequest[] = [];
  const sockets = new Set<net.Socket>();
  let connections = 0;
  let frozen = Promise.withResolvers<void>();
  frozen.resolve();
  const onSocket = (socket: net.Socket) => {
    const connection = connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let bytes = Buffer.alloc(0);
    let turn = Promise.resolve();
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        const frame = bytes.subarray(4, 4 + bytes.readInt32BE(0));
        bytes = bytes.subarray(4 + frame.length);
        const { correlationId, request, flexible } = readRequest(frame, connection);
        if (request.key !== KEY.apiVersions) received.push(request);
        turn = turn.then(async () => {
          await frozen.promise;
          if (request.key === KEY.apiVersions) await greeting;
          const answer = request.key === KEY.apiVersions ? apiVersions(newest) : await reply(request);
          // A broker works on one request of a connection at a time.
          if (answer === 'silence') await new Promise(() => {});
          else if (answer === 'close') socket.end();
          else socket.write(framed(correlationId, answer, flexible));
        });
      }
    });
  };
  const server = tlsOptions === undefined ? net.createServer(onSocket) : tls.createServer(tlsOptions, onSocket);
  server.listen(port, host);
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the fake broker has no port');
  const reset = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${bound.port}`,
    port: bound.port,
    received,
    connections: () => connections,
    openConnections: () => sockets.size,
    reset,
    freeze() {
      frozen = Promise.withResolvers();
    },
    thaw: () => frozen.resolve(),
    async close() {
      reset();
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
}

function readRequest(frame: Buffer, connection: number): { correlationId: number; flexible: boolean; request: ReceivedRequest } {
  const decoder = newDecoder(frame);
  const key = decoder.readInt16();
  const version = decoder.readInt16();
  const correlationId = decoder.readInt32();
  const clientId = decoder.readString();
  const flexible = (key === KEY.offsetFetch && version >= 6) || (key === KEY.metadata && version >= 9);
  if (flexible) skipTaggedFields(decoder);
  return { correlationId, flexible, request: { key, version, clientId, body: frame.subarray(decoder.offset), connection } };
}

function framed(correlationId: number, body: Buffer, flexible: boolean): Buffer {
  const header = newEncoder().writeInt32(0).writeInt32(correlationId);
  if (flexible) header.writeUVarInt(0);
  const bytes = Buffer.concat([header.buffer, body]);
  bytes.writeInt32BE(bytes.length - 4, 0);
  return bytes;
}

function apiVersions(newest: Readonly<Record<number, number>>): Buffer {
  const keys = Array.from({ length: 60 }, (_, key) => key);
  const encoder = newEncoder().writeInt16(0).writeInt32(keys.length);
  for (const key of keys)
    encoder
      .writeInt16(key)
      .writeInt16(0)
      .writeInt16(newest[key] ?? 20);
  return encoder.writeInt32(0).buffer;
}

// ---- Responses

/** One broker, id 1, that leads every partition; `leaders` has the leader of each partition. */
export function metadataResponse(port: number, topic: string, leaders: readonly number[], topicError = 0): Buffer {
  return clusterMetadata([{ id: 1, port }], topic, leaders, { topicError });
}

/** `epoch`: the leader epoch of every partition. */
export function clusterMetadata(
  brokers: readonly { readonly id: number; readonly port: number }[],
  topic: string,
  leaders: readonly number[],
  { topicError = 0, epoch = 0, topicId = '' } = {},
): Buffer {
  const encoder = newEncoder()
    .writeInt32(0)
    .writeUVarInt(brokers.length + 1);
  for (const { id, port } of brokers)
    encoder.writeInt32(id).writeUVarIntString('127.0.0.1').writeInt32(port).writeUVarIntString(null).writeUVarInt(0);
  encoder.writeUVarIntString('cluster').writeInt32(1).writeUVarInt(2);
  encoder.writeInt16(topicError).writeUVarIntString(topic);
  const idBytes = Buffer.concat([Buffer.from(topicId, 'base64url'), Buffer.alloc(16)]);
  encoder.writeInt64(idBytes.readBigInt64BE(0)).writeInt64(idBytes.readBigInt64BE(8));
  encoder.writeBoolean(false).writeUVarInt(leaders.length + 1);
  leaders.forEach((leader, partition) => {
    encoder
      .writeInt16(leader < 0 ? 5 : 0)
      .writeInt32(partition)
      .writeInt32(leader)
      .writeInt32(epoch)
      .writeUVarInt(1)
      .writeUVarInt(1)
      .writeUVarInt(1)
      .writeUVarInt(0);
  });
  return encoder.writeInt32(0).writeUVarInt(0).writeInt32(0).writeUVarInt(0).buffer;
}

export function coordinatorResponse(port: number, error = 0, id = 1): Buffer {
  return newEncoder().writeInt32(0).writeInt16(error).writeString(null).writeInt32(id).writeString('127.0.0.1').writeInt32(port).buffer;
}

export function endTxnResponse(error: number): Buffer {
  return newEncoder().writeInt32(0).writeInt16(error).buffer;
}

/** Every partition of one topic with the same error. */
export function produceResponse(topic: string, errors: readonly number[]): Buffer {
  const encoder = newEncoder().writeInt32(1).writeString(topic).writeInt32(errors.length);
  errors.forEach((error, partition) => {
    encoder.writeInt32(partition).writeInt16(error).writeInt64(0).writeInt64(-1).writeInt64(0).writeInt32(0).writeString(null);
  });
  return encoder.writeInt32(0).buffer;
}
