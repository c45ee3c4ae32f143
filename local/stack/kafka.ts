import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSTALLED, type InstalledKafka, installed, javaCommand } from './installed.ts';
import { kafkaJvm } from './java.ts';
import type { Keeper } from './kept-process.ts';
import { accepts, type Service, startService } from './service.ts';

export interface KafkaService extends Service {
  /** `127.0.0.1:<port>`, the same after a restart. */
  readonly bootstrap: string;
}

export interface KafkaOptions {
  /** Broker settings by name, over the defaults for a single node. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** More JVM arguments. */
  readonly jvm?: readonly string[];
  /** A second listener, for clients that are to reach the broker by another address only: through a proxy. */
  readonly detour?: Detour;
  /** @default INSTALLED.kafka */
  readonly release?: InstalledKafka;
}

export interface Detour {
  readonly port: number;
  /** The address that the broker gives to clients of this listener, as `host:port`. */
  readonly advertised: string;
}

/** Starts an Apache Kafka broker (KRaft, broker and controller in one process) on the keeper's folder. */
export async function startKafka(keeper: Keeper, options: KafkaOptions = {}): Promise<KafkaService> {
  const { release = INSTALLED.kafka } = options;
  const port = await keeper.takePort();
  const controllerPort = await keeper.takePort();
  const data = join(keeper.dir, 'kafka-data');
  // Formatting takes a JVM of its own, a second; an empty formatted folder is the same every time.
  if (!existsSync(data)) cpSync(installed(release.part, release.formatted), data, { recursive: true });
  const propertiesFile = join(keeper.dir, 'kafka.properties');
  writeFileSync(
    propertiesFile,
    propertiesText(brokerSettings({ port, controllerPort, data, detour: options.detour, overrides: options.settings ?? {} })),
  );

  const service = await startService(
    keeper,
    {
      name: 'kafka',
      command: javaCommand(),
      args: [
        '-Xmx1g',
        '-XX:+UseG1GC',
        '-XX:MaxGCPauseMillis=20',
        ...(options.jvm ?? []),
        ...kafkaJvm('warn', release),
        'kafka.Kafka',
        propertiesFile,
      ],
      env: process.env,
    },
    // The broker listens only once it is ready for clients.
    () => accepts(port),
  );
  return { ...service, bootstrap: `127.0.0.1:${port}` };
}

interface BrokerAddress {
  readonly port: number;
  readonly controllerPort: number;
  readonly data: string;
  readonly detour?: Detour | undefined;
  readonly overrides: Readonly<Record<string, string | number | boolean>>;
}

/** Settings of a single node, for development: nothing is replicated, internal topics are small. */
export function brokerSettings({
  port,
  controllerPort,
  data,
  detour,
  overrides,
}: BrokerAddress): Record<string, string | number | boolean> {
  const listeners = [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${controllerPort}`];
  const advertised = [`PLAINTEXT://127.0.0.1:${port}`];
  if (detour !== undefined) {
    listeners.push(`DETOUR://127.0.0.1:${detour.port}`);
    advertised.push(`DETOUR://${detour.advertised}`);
  }
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DETOUR:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'num.partitions': 3,
    'default.replication.factor': 1,
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // 50 partitions each by default: creating them is most of the first transaction's wait.
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.num.partitions': 5,
    'group.initial.rebalance.delay.ms': 0,
    // A broker that was killed is let in again only when its old session is over: 9 s by default.
    'broker.session.timeout.ms': 3_000,
    'broker.heartbeat.interval.ms': 500,
    'transaction.max.timeout.ms': 900_000,
    ...overrides,
  };
}

export function propertiesText(settings: Readonly<Record<string, string | number | boolean>>): string {
  return `${Object.entries(settings)
    // A backslash begins an escape in Java's properties format.
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}`)
    .join('\n')}\n`;
}
