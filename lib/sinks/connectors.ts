import type { Serde } from '../format/serde.ts';
import type { TransactionRequests } from '../ports/kafka-requests.ts';
import type { SinkTargets } from '../ports/sink-targets.ts';
import { type Pool, sinksOf } from '../protocol/pool.ts';
import type { Own } from '../protocol/shape.ts';
import type { SinkCoordination, SinkServer, Sinks } from './connector.ts';
import { coordinateDeliver, CONNECTOR as DELIVER } from './deliver/coordination.ts';
import { deliverKind } from './deliver/kind.ts';
import { serveDeliver } from './deliver/server.ts';
import type { DeliverSinkSpec, DeliverTarget } from './deliver/spec.ts';
import { coordinateDynamo } from './dynamodb/coordination.ts';
import { dynamoKind } from './dynamodb/kind.ts';
import { serveDynamo } from './dynamodb/server.ts';
import type { DynamoSinkSpec, DynamoTarget } from './dynamodb/spec.ts';
import { coordinateFiles } from './files/coordination.ts';
import { filesKind } from './files/kind.ts';
import { serveFiles } from './files/server.ts';
import type { FileSinkSpec, FileTarget } from './files/spec.ts';
import { coordinateKafka, type KafkaClients } from './kafka/coordination.ts';
import { kafkaKind } from './kafka/kind.ts';
import { serveKafka } from './kafka/server.ts';
import type { KafkaSinkSpec, KafkaTarget } from './kafka/spec.ts';
import type { DeliveryGuarantee, EncoderContext, RecordSink, SinkKind } from './kind.ts';
import type { OutputRow } from './output-row.ts';
import { coordinateWriteAhead } from './write-ahead/coordination.ts';
import { serveWriteAhead } from './write-ahead/server.ts';

/*
 * All kinds of sinks and all connectors. A new one is a folder here, its spec and target in the two unions, and its rows in the two
 * tables, which do not compile without them.
 */

export type SinkSpec = KafkaSinkSpec | DeliverSinkSpec | FileSinkSpec | DynamoSinkSpec;
export type SinkTarget = KafkaTarget | DeliverTarget | FileTarget | DynamoTarget;

/** Whom connectors speak to in a sink's function, and where the coordinator is. */
export interface ServerClients {
  readonly kafka: TransactionRequests;
  readonly targets: SinkTargets;
  /** What the job's author gave for a sink. Undefined: the job has no such sink, or its code is not in this process. */
  readonly specOf: (sink: string) => SinkSpec | undefined;
}
export type CoordinationClients = KafkaClients & { readonly targets: SinkTargets };

/** What connectors are set to, besides a sink's own. */
export interface SinkSettings {
  /** Of epochs that this run decides; what it finds decided is committed in its own way. */
  readonly deliveryGuarantee: DeliveryGuarantee;
  readonly transactionTimeoutMs: number;
}

type Kinds = {
  readonly [K in SinkSpec['kind']]: SinkKind<Extract<SinkSpec, { kind: K }>, Extract<SinkTarget, { kind: K }>> & {
    readonly connectors: Readonly<Record<DeliveryGuarantee, ConnectorName>>;
  };
};
const kinds: Kinds = { kafka: kafkaKind, deliver: deliverKind, files: filesKind, dynamodb: dynamoKind };

interface Connector {
  serve(clients: ServerClients): SinkServer;
  coordinate(clients: CoordinationClients, settings: SinkSettings): SinkCoordination;
}
const connectors = {
  kafka: { serve: ({ kafka }) => serveKafka(kafka), coordinate: coordinateKafka },
  'write-ahead': { serve: ({ kafka }) => serveWriteAhead(kafka), coordinate: coordinateWriteAhead },
  deliver: { serve: ({ specOf }) => serveDeliver((sink) => specOfKind('deliver', specOf(sink))), coordinate: coordinateDeliver },
  files: {
    serve: ({ targets, specOf }) => serveFiles(targets, (sink) => specOfKind('files', specOf(sink))),
    coordinate: ({ targets }) => coordinateFiles(targets),
  },
  dynamodb: { serve: ({ targets }) => serveDynamo(targets), coordinate: ({ targets }) => coordinateDynamo(targets) },
} as const satisfies Record<string, Connector>;
type ConnectorName = keyof typeof connectors;

/* By kind of sink. */

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

function specOfKind<K extends SinkSpec['kind']>(kind: K, spec: SinkSpec | undefined): Extract<SinkSpec, { kind: K }> | undefined {
  return spec?.kind === kind ? (spec as Extract<SinkSpec, { kind: K }>) : undefined;
}

/* By connector. */

/** The kind of the sinks that a connector brings. Undefined: this build has none of that name. */
export function kindOfConnector(connector: string): SinkTarget['kind'] | undefined {
  const all = Object.entries(kinds) as readonly [SinkTarget['kind'], Kinds[SinkTarget['kind']]][];
  return all.find(([, { connectors }]) => Object.values(connectors).some((name) => name === connector))?.[0];
}

function connectorNamed(name: string): Connector | undefined {
  return Object.hasOwn(connectors, name) ? connectors[name as ConnectorName] : undefined;
}

/** The half of a connector in a sink's function. Undefined: this build has none of that name. */
export function sinkServer(connector: string, clients: ServerClients): SinkServer | undefined {
  return connectorNamed(connector)?.serve(clients);
}

/** The halves where the coordinator is. */
export function coordinateSinks(clients: CoordinationClients, settings: SinkSettings): Sinks {
  const named = (connector: string) => connectorNamed(connector)?.coordinate(clients, settings);
  return {
    named,
    forTarget({ kind }) {
      const connector = named(kinds[kind as SinkTarget['kind']].connectors[settings.deliveryGuarantee]);
      if (connector === undefined) throw new Error(`there is no connector for a sink of kind ${kind}`);
      return connector;
    },
  };
}

/** Has the job a sink that delivers by a function of its author? */
export function needsCode(pool: Pool): boolean {
  return Object.keys(sinksOf(pool, DELIVER)).length > 0;
}
