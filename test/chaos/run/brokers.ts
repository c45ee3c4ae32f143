import { type KafkaService, type Settings, startKafka } from '../../../local/stack/kafka.ts';
import { type ClusterBroker, type PeerPath, startKafkaCluster } from '../../../local/stack/kafka-cluster.ts';
import type { Keeper } from '../../../local/stack/kept-process.ts';
import { openTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

/** How many brokers a run may have. */
export const SIZES = [1, 3] as const;
export type Size = (typeof SIZES)[number];

/** A broker, and the job's way to it. */
export interface Broker extends ClusterBroker {
  readonly link: TcpProxy;
}

/** The way of one broker to another. */
export interface PeerLink extends Pick<PeerPath, 'from' | 'to' | 'what'> {
  readonly link: TcpProxy;
}

export interface Brokers {
  readonly all: readonly Broker[];
  /** Past the links: for the run itself, not for the job. */
  readonly addresses: string[];
  /** None where there is one broker. */
  readonly peers: readonly PeerLink[];
  /** Closes the links. The brokers are the keeper's. */
  close(): Promise<void>;
}

/** Where there is a failure to notice, it is noticed before an epoch has timed out. */
const QUICK: Settings = {
  'broker.session.timeout.ms': 1_500,
  'broker.heartbeat.interval.ms': 300,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
};
const QUICK_TOGETHER: Settings = {
  ...QUICK,
  'replica.lag.time.max.ms': 3_000,
  'replica.socket.timeout.ms': 3_000,
  // The end of a transaction that was under way to a leader that hangs is sent again, to the leader that there is then.
  'request.timeout.ms': 3_000,
  // A broker that is back is given its partitions again. Otherwise one broker leads all of them soon.
  'leader.imbalance.check.interval.seconds': 5,
  'leader.imbalance.per.broker.percentage': 0,
};

/** Starts the brokers, each with a listener of its own for the job. */
export async function openBrokers(keeper: Keeper, size: Size): Promise<Brokers> {
  const detours: { readonly port: number; readonly link: TcpProxy; readonly advertised: string }[] = [];
  for (let id = 1; id <= size; id++) {
    const port = await keeper.takePort();
    const link = await openTcpProxy(`127.0.0.1:${port}`, await keeper.takePort());
    detours.push({ port, link, advertised: link.address });
  }
  const peers: PeerLink[] = [];
  const started = size === 1 ? [alone(await startKafka(keeper, { detour: detours[0], settings: QUICK }))] : await together();

  async function together(): Promise<readonly ClusterBroker[]> {
    const { brokers } = await startKafkaCluster(keeper, {
      detours,
      settings: QUICK_TOGETHER,
      async through({ from, to, what, address }) {
        const link = await openTcpProxy(address, await keeper.takePort());
        peers.push({ from, to, what, link });
        return link.address;
      },
    });
    return brokers;
  }

  const all = started.map((broker, index): Broker => ({ ...broker, link: detours[index]?.link as TcpProxy }));
  return {
    all,
    addresses: all.map(({ address }) => address),
    peers,
    close: async () => void (await Promise.all([...all, ...peers].map(({ link }) => link.close()))),
  };
}

function alone(broker: KafkaService): ClusterBroker {
  return { ...broker, id: 1, address: broker.bootstrap };
}
