import type { Serde } from '../format/serde.ts';
import type { Own } from '../protocol/shape.ts';
import type { CurrentRecord } from '../records/current-record.ts';
import type { Push } from '../records/push.ts';
import type { OutputRow } from './output-row.ts';

/** What a kind of sink is: `Spec` is what a job's author gave, with functions in it, and `Target` what a plan says of it, without. */
export interface SinkKind<Spec, Target> {
  targetOf(spec: Spec): Target;
  /** What it writes to, by the names that the job's code has, where the configuration may give others. */
  names(spec: Spec): readonly string[];
  /** The same sink, with other names for those of its `names` that are in the map. */
  renamed(spec: Spec, names: ReadonlyMap<string, string>): Spec;
  /** For people and tools. */
  describe(spec: Spec): Own;
  /** What of it reads and writes values, by what it is for. */
  serdesOf(spec: Spec): Readonly<Record<string, Serde<unknown> | undefined>>;
  /** The topics of Kafka that it writes to, as lib/config/clusters.ts calls them: what brokers are asked for, and have to allow. */
  topics(target: Target): readonly string[];
  /** For people, from what a plan says of it: `writes topic lines`. */
  writesTo(target: Target): string;
  /**
   * What of an epoch is staged for it, for people and to be compared. `spec`: what reads the values; undefined: they are text, or bytes.
   *
   * @throws CorruptBlobError
   */
  rows(spec: Spec | undefined, payload: Buffer, name: string): OutputRow[];
  /** Does it give values to a function of the user, which may change them? */
  givesToUser(spec: Spec): boolean;
  encoder(spec: Spec, context: EncoderContext): RecordSink;
  /** The connector that brings it, by the guarantee that a run is set to. */
  readonly connectors: Readonly<Record<DeliveryGuarantee, string>>;
}

/** What a run is set to; it holds for all its sinks. */
export type DeliveryGuarantee = 'exactly-once' | 'at-least-once';

/** Where an encoder works. */
export interface EncoderContext {
  /** The sink's uid. */
  readonly sink: string;
  /** What the connector's other half has learnt of the target. Asked for at the beginning of each epoch. */
  readonly facts: () => Own;
  readonly current: CurrentRecord;
}

/** Takes values for one sink, epoch by epoch. `append` is called for each record: it makes no closure, promise or object by itself. */
export interface RecordSink {
  /** Starts an epoch; whatever was not finished is gone. */
  begin(): void;
  readonly append: Push;
  /** Since `begin`. */
  readonly records: number;
  /** Staged output in parts: views, valid until the next `begin`. Undefined when there are no records. */
  finish(): Buffer[] | undefined;
}
