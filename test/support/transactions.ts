import { newDecoder, newEncoder, skipTaggedFields } from '../../lib/kafka/kafkajs-internals.ts';
import { metadataRequest } from '../../lib/kafka/metadata-request.ts';
import type { WireRequest } from '../../lib/kafka/wire-request.ts';
import { kafkaCommittable } from '../../lib/sinks/kafka/committable.ts';
import { manifestOf } from './epochs.ts';
import { brokers, cluster } from './kafka-wire.ts';

const COORDINATOR_LOAD_IN_PROGRESS = 14;

export interface TransactionListing {
  readonly transactionalId: string;
  readonly producerId: string;
  /** `Empty`, `Ongoing`, `PrepareCommit`, `PrepareAbort`, `CompleteCommit`, `CompleteAbort`, … */
  readonly state: string;
}

/** Every transactional id that the brokers know and that begins with `prefix`. */
export async function listTransactions(prefix: string, at = brokers()): Promise<TransactionListing[]> {
  const { brokers: all } = await cluster(at).ask(metadataRequest([]), 'the brokers');
  return (await Promise.all(all.map(({ nodeId }) => transactionsOf(nodeId, prefix, at)))).flat();
}

/** The same of those that one broker coordinates. */
export async function transactionsOf(broker: number, prefix: string, at: string[]): Promise<TransactionListing[]> {
  const request: WireRequest<{ readonly errorCode: number; readonly found: TransactionListing[] }> = {
    api: { key: 66, name: 'ListTransactions', version: 0, flexible: true },
    // No filter by state, none by producer, no tagged fields.
    body: [newEncoder().writeUVarInt(1).writeUVarInt(1).writeUVarInt(0).buffer],
    decode(payload) {
      const decoder = newDecoder(payload);
      decoder.readInt32();
      const errorCode = decoder.readInt16();
      decoder.readUVarIntArray(() => decoder.readUVarIntString());
      const found = decoder.readUVarIntArray(() => {
        const transactionalId = decoder.readUVarIntString() ?? '';
        const producerId = String(decoder.readInt64());
        const state = decoder.readUVarIntString() ?? '';
        skipTaggedFields(decoder);
        return { transactionalId, producerId, state };
      });
      return { errorCode, found: found ?? [] };
    },
    throttleMs: () => 0,
    heldMs: 0,
  };
  const answer = await cluster(at).sendTo(broker, 'control', request);
  const { errorCode, found } = cluster(at).required(answer, `the transactions of broker ${broker}`);
  if (errorCode === COORDINATOR_LOAD_IN_PROGRESS) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return transactionsOf(broker, prefix, at);
  }
  if (errorCode !== 0) throw new Error(`ListTransactions was answered ${errorCode}`);
  return found.filter(({ transactionalId }) => transactionalId.startsWith(prefix));
}

/** Ids under `prefix` with a transaction that is not over. */
export async function openTransactions(prefix: string, at = brokers()): Promise<string[]> {
  const over = ['Empty', 'CompleteCommit', 'CompleteAbort'];
  const all = await listTransactions(prefix, at);
  return all.filter(({ state }) => !over.includes(state)).map(({ transactionalId, state }) => `${transactionalId} ${state}`);
}

/** Undefined when the broker does not know the id. */
export async function stateOf(transactionalId: string, at = brokers()): Promise<string | undefined> {
  return (await listTransactions(transactionalId, at))[0]?.state;
}

/** Id of the one transaction that the decided epoch, the last one, left prepared. Asserts that it is open. */
export async function preparedId(job: string, epoch: number, at = brokers()): Promise<string> {
  const manifest = await manifestOf(job);
  const [committable] = manifest.committables.map(kafkaCommittable);
  if (manifest.epoch !== epoch || committable === undefined || manifest.committables.length > 1) {
    throw new Error(`the last epoch is ${manifest.epoch}, not ${epoch}, or has ${manifest.committables.length} transactions`);
  }
  const state = await stateOf(committable.transactionalId, at);
  if (state !== 'Ongoing') throw new Error(`transaction ${committable.transactionalId} is ${state}`);
  return committable.transactionalId;
}
