import { join } from 'node:path';
import { brokerSettings, type Detour, type Settings, startNode } from './kafka.ts';
import type { Keeper } from './kept-process.ts';
import type { Service } from './service.ts';

/** One of the brokers; a controller too. */
export interface ClusterBroker extends Service {
  readonly id: number;
  /** `127.0.0.1:<port>`, the same after a restart. */
  readonly address: string;
}

export interface KafkaCluster {
  /** The addresses of all, as clients take them. */
  readonly bootstrap: string;
  /** In the order of their ids, from 1. */
  readonly brokers: readonly ClusterBroker[];
}

/** A way by which one broker reaches another. */
export interface PeerPath {
  readonly from: number;
  readonly to: number;
  /** `broker`: replication, ends of transactions. `controller`: the quorum, heartbeats, changes of the metadata. */
  readonly what: 'broker' | 'controller';
  /** Where `to` listens for `from`, as `host:port`. */
  readonly address: string;
}

export interface KafkaClusterOptions {
  /** Broker settings by name, for all, over the defaults. */
  readonly settings?: Settings;
  /** A second listener of each broker, for clients that are to reach it by another address only: through a proxy. */
  readonly detours?: readonly Detour[];
  /** Puts a proxy into the path: the address that `from` is to use for `to`. Called once for each path. @default the address itself */
  readonly through?: (path: PeerPath) => Promise<string>;
}

const SIZE = 3;
const ids = Array.from({ length: SIZE }, (_, index) => index + 1);
const MAX_HEAP = '256m';

/**
 * As in production: every partition, those of the internal topics too, has three replicas and takes writes while two are
 * in sync; one that was not in sync is never made leader.
 */
const REPLICATED: Settings = {
  'default.replication.factor': SIZE,
  'min.insync.replicas': 2,
  'offsets.topic.replication.factor': SIZE,
  'transaction.state.log.replication.factor': SIZE,
  'transaction.state.log.min.isr': 2,
  'share.coordinator.state.topic.replication.factor': SIZE,
  'share.coordinator.state.topic.min.isr': 2,
  'unclean.leader.election.enable': false,
};

/** Three JVMs on a small machine: each has threads and buffers for a little work. */
const SMALL: Settings = {
  'num.network.threads': 1,
  'num.io.threads': 4,
  'background.threads': 2,
  'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
};

/** Starts three Apache Kafka brokers (KRaft, each a controller too) on the keeper's folder. */
export async function startKafkaCluster(keeper: Keeper, options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
  const { settings = {}, detours = [], through = async ({ address }) => address } = options;
  const ports = new Map<number, NodePorts>();
  for (const id of ids) ports.set(id, await takePorts(keeper));
  const paths = await openPaths(ports, through);
  const brokers = await Promise.all(
    [...ports].map(async ([id, { clients }]): Promise<ClusterBroker> => {
      const data = join(keeper.dir, `kafka-${id}-data`);
      const own = listenerSettings(id, ports, paths, detours[id - 1]);
      const all = brokerSettings({ port: clients, controllerPort: 0, data, overrides: { ...REPLICATED, ...SMALL, ...own, ...settings } });
      const service = await startNode(keeper, { name: `kafka-${id}`, id, port: clients, data, settings: all, maxHeap: MAX_HEAP });
      return { ...service, id, address: `127.0.0.1:${clients}` };
    }),
  );
  return { bootstrap: brokers.map(({ address }) => address).join(','), brokers };
}

interface NodePorts {
  readonly clients: number;
  /** For each node that comes, itself included. */
  readonly broker: ReadonlyMap<number, number>;
  readonly controller: ReadonlyMap<number, number>;
}

async function takePorts(keeper: Keeper): Promise<NodePorts> {
  const forEach = async () => new Map(await Promise.all(ids.map(async (from) => [from, await keeper.takePort()] as const)));
  return { clients: await keeper.takePort(), broker: await forEach(), controller: await forEach() };
}

/** The address by which `from` reaches `to`. */
type Paths = (what: PeerPath['what'], from: number, to: number) => string;

async function openPaths(ports: ReadonlyMap<number, NodePorts>, through: (path: PeerPath) => Promise<string>): Promise<Paths> {
  const addresses = new Map<string, string>();
  for (const [to, listens] of ports) {
    for (const what of ['broker', 'controller'] as const) {
      for (const [from, port] of listens[what]) {
        const address = `127.0.0.1:${port}`;
        addresses.set(`${what} ${from} ${to}`, from === to ? address : await through({ from, to, what, address }));
      }
    }
  }
  return (what, from, to) => addresses.get(`${what} ${from} ${to}`) ?? '';
}

const LISTENER = { broker: 'BROKER', controller: 'CONTROLLER' } as const;

/**
 * A broker looks its peers up under the name of a listener, and each broker here has a name of its own for that: what `BROKER2`
 * of broker 1 advertises is known to all, and used by broker 2 alone. So every path between two can be cut by itself.
 */
function listenerSettings(id: number, ports: ReadonlyMap<number, NodePorts>, path: Paths, detour: Detour | undefined): Settings {
  const own = ports.get(id);
  if (own === undefined) throw new Error(`no ports of broker ${id}`);
  const listeners = [`PLAINTEXT://127.0.0.1:${own.clients}`];
  const advertised = [...listeners];
  const names = ['PLAINTEXT'];
  if (detour !== undefined) {
    listeners.push(`DETOUR://127.0.0.1:${detour.port}`);
    advertised.push(`DETOUR://${detour.advertised}`);
    names.push('DETOUR');
  }
  for (const what of ['broker', 'controller'] as const) {
    for (const [from, port] of own[what]) {
      const name = `${LISTENER[what]}${from}`;
      listeners.push(`${name}://127.0.0.1:${port}`);
      advertised.push(`${name}://${path(what, from, id)}`);
      names.push(name);
    }
  }
  return {
    'node.id': id,
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': names.map((name) => `${name}:PLAINTEXT`).join(','),
    'inter.broker.listener.name': `${LISTENER.broker}${id}`,
    // The first is the name under which it looks for controllers.
    'controller.listener.names': [id, ...ids.filter((other) => other !== id)].map((other) => `${LISTENER.controller}${other}`).join(','),
    'controller.quorum.voters': ids.map((to) => `${to}@${path('controller', id, to)}`).join(','),
  };
}
