import type { Serde } from '../format/serde.ts';
import type { TransactionRequests } from '../ports/kafka-requests.ts';
import type { Own } from '../protocol/shape.ts';
import type { SinkCoordination, SinkServer, Sinks } from './connector.ts';
import { coordinateKafka, type KafkaClients } from './kafka/coordination.ts';
import { kafkaKind } from './kafka/kind.ts';
import { serveKafka } from './kafka/server.ts';
import type { KafkaSinkSpec, KafkaTarget } from './kafka/spec.ts';
import type { DeliveryGuarantee, EncoderContext, RecordSink, SinkKind } from './kind.ts';
import { coordinateWriteAhead } from './write-ahead/coordination.ts';
import { serveWriteAhead } from './write-ahead/server.ts';

/*
 * All kinds of sinks and all connectors. A new one is a folder here, its spec and target in the two unions, and its rows in the two
 * tables, which do not compile without them.
 */

export type SinkSpec = KafkaSinkSpec;
export type SinkTarget = KafkaTarget;

/** Whom connectors speak to in a sink's function, and where the coordinator is. */
export interface ServerClients {
  readonly kafka: TransactionRequests;
}
export type CoordinationClients = KafkaClients;

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
const kinds: Kinds = { kafka: kafkaKind };

interface Connector {
  serve(clients: ServerClients): SinkServer;
  coordinate(clients: CoordinationClients, settings: SinkSettings): SinkCoordination;
}
const connectors = {
  kafka: { serve: ({ kafka }) => serveKafka(kafka), coordinate: coordinateKafka },
  'write-ahead': { serve: ({ kafka }) => serveWriteAhead(kafka), coordinate: coordinateWriteAhead },
} as const satisfies Record<string, Connector>;
type ConnectorName = keyof typeof connectors;

/* By kind of sink. */

function kindOfSpec<Spec extends SinkSpec>({ kind }: Spec): SinkKind<Spec, SinkTarget> {
  return kinds[kind] as unknown as SinkKind<Spec, SinkTarget>;
}

export function targetOf(spec: SinkSpec): SinkTarget {
  return kindOfSpec(spec).targetOf(spec);
}

/** The same sink, under another name that the configuration gives. Undefined: what it writes to has no such name. */
export function renamedSink(spec: SinkSpec, name: string): SinkSpec | undefined {
  return kindOfSpec(spec).renamed?.(spec, name);
}

export function describeSink(spec: SinkSpec): Own {
  return kindOfSpec(spec).describe(spec);
}

export function serdesOfSink(spec: SinkSpec): Readonly<Record<string, Serde<unknown> | undefined>> {
  return kindOfSpec(spec).serdesOf(spec);
}

/** Does it give values to a function of the user, which may change them? */
export function sinkGivesToUser(spec: SinkSpec): boolean {
  return kindOfSpec(spec).givesToUser(spec);
}

export function openSinkEncoder(spec: SinkSpec, context: EncoderContext): RecordSink {
  return kindOfSpec(spec).encoder(spec, context);
}

/* By connector. */

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
