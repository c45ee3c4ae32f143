import type { Serde } from '../format/serde.ts';
import type { Own } from '../protocol/shape.ts';
import { deliverKind } from './deliver/kind.ts';
import type { DeliverSinkSpec, DeliverTarget } from './deliver/spec.ts';
import { dynamoKind } from './dynamodb/kind.ts';
import type { DynamoSinkSpec, DynamoTarget } from './dynamodb/spec.ts';
import { filesKind } from './files/kind.ts';
import type { FileSinkSpec, FileTarget } from './files/spec.ts';
import { kafkaKind } from './kafka/kind.ts';
import type { KafkaSinkSpec, KafkaTarget } from './kafka/spec.ts';
import type { DeliveryGuarantee, EncoderContext, RecordSink, SinkKind } from './kind.ts';
import type { OutputRow } from './output-row.ts';

/*
 * All kinds of sinks: what a job names, and what it writes. A new one is a folder here, its spec and target in the two unions, and
 * its row in the table, which does not compile without it. How its output is committed is its connector's (connectors.ts).
 */

export type SinkSpec = KafkaSinkSpec | DeliverSinkSpec | FileSinkSpec | DynamoSinkSpec;
export type SinkTarget = KafkaTarget | DeliverTarget | FileTarget | DynamoTarget;

type Kinds = {
  readonly [K in SinkSpec['kind']]: SinkKind<Extract<SinkSpec, { kind: K }>, Extract<SinkTarget, { kind: K }>>;
};
const kinds = { kafka: kafkaKind, deliver: deliverKind, files: filesKind, dynamodb: dynamoKind } as const satisfies Kinds;

/** The connector that commits a sink's output. */
export function connectorNameOf({ kind }: SinkTarget, guarantee: DeliveryGuarantee) {
  return kinds[kind].connectors[guarantee];
}

/** The kind of the sinks that a connector brings. Undefined: this build has none of that name. */
export function kindOfConnector(connector: string): SinkTarget['kind'] | undefined {
  const all = Object.entries(kinds) as readonly [SinkTarget['kind'], Kinds[SinkTarget['kind']]][];
  return all.find(([, { connectors }]) => Object.values(connectors).some((name) => name === connector))?.[0];
}

/** Is it one of the sinks that there are? */
export function isSinkSpec(sink: unknown): sink is SinkSpec {
  const { kind } = (sink ?? {}) as { readonly kind?: unknown };
  return typeof kind === 'string' && Object.hasOwn(kinds, kind);
}

function kindOfSpec<Spec extends SinkSpec>({ kind }: Spec): SinkKind<Spec, SinkTarget> {
  return kinds[kind] as unknown as SinkKind<Spec, SinkTarget>;
}

function kindOfTarget({ kind }: SinkTarget): SinkKind<SinkSpec, SinkTarget> {
  return kinds[kind] as unknown as SinkKind<SinkSpec, SinkTarget>;
}

export function targetOf(spec: SinkSpec): SinkTarget {
  return kindOfSpec(spec).targetOf(spec);
}

/** The topics that it writes to, by the names that the job's code has. */
export function namesOfSink(spec: SinkSpec): readonly string[] {
  return kindOfSpec(spec).names(spec);
}

/** The same sink, with other topics for those of these names. */
export function renamedSink(spec: SinkSpec, names: ReadonlyMap<string, string>): SinkSpec {
  return kindOfSpec(spec).renamed(spec, names);
}

export function describeSink(spec: SinkSpec): Own {
  return kindOfSpec(spec).describe(spec);
}

export function serdesOfSink(spec: SinkSpec): Readonly<Record<string, Serde<unknown> | undefined>> {
  return kindOfSpec(spec).serdesOf(spec);
}

/** The topics of Kafka that a sink writes to. */
export function topicsOfSink(target: SinkTarget): readonly string[] {
  return kindOfTarget(target).topics(target);
}

/** For people: what a sink does with its values. */
export function sinkWritesTo(target: SinkTarget): string {
  return kindOfTarget(target).writesTo(target);
}

/** A sink, as far as its rows are to be read. */
export interface ReadSink {
  readonly target: SinkTarget;
  /** What of it reads values. Undefined: they are bytes. */
  readonly spec: SinkSpec | undefined;
}

/** What is staged for a sink. @throws CorruptBlobError */
export function rowsOfStaged({ target, spec }: ReadSink, payload: Buffer, name: string): OutputRow[] {
  return kindOfTarget(target).rows(spec?.kind === target.kind ? spec : undefined, payload, name);
}

/** Does it give values to a function of the user, which may change them? */
export function sinkGivesToUser(spec: SinkSpec): boolean {
  return kindOfSpec(spec).givesToUser(spec);
}

export function openSinkEncoder(spec: SinkSpec, context: EncoderContext): RecordSink {
  return kindOfSpec(spec).encoder(spec, context);
}
