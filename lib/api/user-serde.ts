import { ByteWriter, nameOf } from '../format/byte-writer.ts';
import { NotPreparedError } from '../format/not-prepared.ts';
import type { Serde } from '../format/serde.ts';
import { JobDefinitionError } from '../graph/job.ts';
import { refuseAsync } from './user-function.ts';

/** Refuses, when the job is defined, what would fail or write nothing at the first record: `json` for `json()`, say. */
export function expectSerde(serde: unknown, where: string): void {
  const { name, read, write, needsTopic } = (serde ?? {}) as Partial<Serde<unknown>>;
  if (typeof serde === 'object' && typeof name === 'string' && typeof read === 'function' && typeof write === 'function') {
    if (needsTopic !== true) return;
    throw new JobDefinitionError(
      `${where}: serde ${name} names its schema by the topic of a source or sink, and here is none: give it a \`subject\`, or one without a registry`,
    );
  }
  const hint = typeof serde === 'function' ? `; call it if it makes one: ${serde.name || 'json'}()` : '';
  throw new JobDefinitionError(`${where}: ${nameOf(serde)} is no serde (an object with name, read and write)${hint}`);
}

/** What is read of a topic, and written to one, says no version. */
export function expectTopicSerde(serde: unknown, where: string): void {
  expectSerde(serde, where);
  const { name, older } = serde as Serde<unknown>;
  if (older !== undefined)
    throw new JobDefinitionError(
      `${where}: serde ${name} has versions, which are for state: what is in a topic does not say in which of them it was written; give a format that does (onceflow/avro, onceflow/protobuf), or the plain serde`,
    );
}

/** Keys are told from each other by their bytes, so these must be the same whatever the serde has learnt. */
export function expectKeySerde(serde: unknown, where: string): void {
  expectSerde(serde, where);
  const { name, prepare } = serde as Serde<unknown>;
  if (prepare === undefined) return;
  throw new JobDefinitionError(
    `${where}: serde ${name} writes the id of a schema into what it writes, so that one key is two when the schema changes: give one without a registry`,
  );
}

/** An initial value that is an object is copied for each key by its serde: so that has to take it. */
export function expectInitial(serde: Serde<unknown>, initial: unknown, where: string): void {
  if (typeof initial === 'function') return refuseAsync(initial, `${where}: initial`);
  if (typeof initial !== 'object' || initial === null) return;
  try {
    serde.write(initial, new ByteWriter());
  } catch (cause) {
    // It will be written by then.
    if (cause instanceof NotPreparedError) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new JobDefinitionError(
      `${where}: its serde ${serde.name} cannot encode the initial value: ${reason}; or give a function that makes one`,
    );
  }
}
