import type { TransactionRequests } from '../ports/kafka-requests.ts';
import type { SinkTargets } from '../ports/sink-targets.ts';
import { type Pool, sinksOf } from '../protocol/pool.ts';
import type { SinkCoordination, SinkServer, Sinks } from './connector.ts';
import { coordinateDeliver, CONNECTOR as DELIVER } from './deliver/coordination.ts';
import { serveDeliver } from './deliver/server.ts';
import { coordinateDynamo } from './dynamodb/coordination.ts';
import { serveDynamo } from './dynamodb/server.ts';
import { coordinateFiles } from './files/coordination.ts';
import { serveFiles } from './files/server.ts';
import { coordinateKafka, type KafkaClients } from './kafka/coordination.ts';
import { serveKafka } from './kafka/server.ts';
import type { DeliveryGuarantee } from './kind.ts';
import { connectorNameOf, type SinkSpec, type SinkTarget } from './kinds.ts';
import { coordinateWriteAhead } from './write-ahead/coordination.ts';
import { serveWriteAhead } from './write-ahead/server.ts';

/*
 * All connectors: how output is committed. A new one is a folder here and its row in the table; a kind of sink that names one that
 * is not there does not compile.
 */

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

function specOfKind<K extends SinkSpec['kind']>(kind: K, spec: SinkSpec | undefined): Extract<SinkSpec, { kind: K }> | undefined {
  return spec?.kind === kind ? (spec as Extract<SinkSpec, { kind: K }>) : undefined;
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
    forTarget: (target) => connectors[connectorNameOf(target as SinkTarget, settings.deliveryGuarantee)].coordinate(clients, settings),
  };
}

/** Has the job a sink that delivers by a function of its author? */
export function needsCode(pool: Pool): boolean {
  return Object.keys(sinksOf(pool, DELIVER)).length > 0;
}
