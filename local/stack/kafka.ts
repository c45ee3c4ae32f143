import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSTALLED, type InstalledKafka, installed, javaCommand } from './installed.ts';
import { kafkaJvm } from './java.ts';
import type { Keeper } from './kept-process.ts';
import { accepts, type Service, startService } from './service.ts';

/** The id that the formatted folder is made for. */
const ONLY_NODE = 1;

export interface KafkaService extends Service {
  /** `127.0.0.1:<port>`, the same after a restart. */
  readonly bootstrap: string;
  /** The guarded listener, where there is one. */
  readonly guarded: string | undefined;
}

export interface KafkaOptions {
  /** Broker settings by name, over the defaults for a single node. */
  readonly settings?: Settings;
  /** More JVM arguments. */
  readonly jvm?: readonly string[];
  /**
   * `heavy`: the JVM compiles to the last and collects beside the work, as on a server, and warms up for a minute on both cores.
   * `light`: it is warm within seconds, and slower then. @default 'light'
   */
  readonly load?: 'light' | 'heavy';
  /** A second listener, for clients that are to reach the broker by another address only: through a proxy. */
  readonly detour?: Detour;
  /** A listener with TLS and logins, and an authorizer. */
  readonly guard?: Guard;
  /** @default INSTALLED.kafka */
  readonly release?: InstalledKafka;
  /** Where it listens. @default a port that is free */
  readonly port?: number | undefined;
}

export interface Detour {
  readonly port: number;
  /** The address that the broker gives to clients of this listener, as `host:port`. */
  readonly advertised: string;
}

/**
 * With TLS, logins by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, and Kafka's own authorizer: who logs in may do what ACLs allow.
 * Clients of the plain listener may do everything. SCRAM users are made on the running broker.
 */
export interface Guard {
  /** Of the broker, PEM. */
  readonly key: string;
  readonly certificate: string;
  /** Passwords of the users of PLAIN. */
  readonly plainUsers?: Readonly<Record<string, string>>;
  /** How long a login is good for. */
  readonly sessionMs?: number;
}

/** Starts an Apache Kafka broker (KRaft, broker and controller in one process) on the keeper's folder. */
export async function startKafka(keeper: Keeper, options: KafkaOptions = {}): Promise<KafkaService> {
  const port = options.port ?? (await keeper.takePort());
  const controllerPort = await keeper.takePort();
  const data = join(keeper.dir, 'kafka-data');
  const guard = options.guard === undefined ? undefined : { ...guardSettings(keeper, options.guard), port: await keeper.takePort() };
  const settings = brokerSettings({ port, controllerPort, data, detour: options.detour, guard, overrides: options.settings ?? {} });
  const service = await startNode(keeper, { ...options, name: 'kafka', id: ONLY_NODE, port, data, settings, maxHeap: '1g' });
  return { ...service, bootstrap: `127.0.0.1:${port}`, guarded: guard === undefined ? undefined : `127.0.0.1:${guard.port}` };
}

/** One process of a cluster. */
export interface NodeSpec extends Pick<KafkaOptions, 'jvm' | 'load' | 'release'> {
  /** Of the process, its log and its properties. */
  readonly name: string;
  readonly id: number;
  /** Where it listens once it is ready for clients. */
  readonly port: number;
  /** Its log folder; made if missing. */
  readonly data: string;
  readonly settings: Settings;
  /** As the JVM's -Xmx takes it. */
  readonly maxHeap: string;
}

/** Starts the process and waits until it is ready for clients. */
export function startNode(keeper: Keeper, spec: NodeSpec): Promise<Service> {
  const { name, id, data, release = INSTALLED.kafka } = spec;
  // Formatting takes a JVM of its own, a second; an empty formatted folder is the same every time.
  if (!existsSync(data)) {
    cpSync(installed(release.part, release.formatted), data, { recursive: true, dereference: true });
    if (id !== ONLY_NODE) renumber(data, id);
  }
  const propertiesFile = join(keeper.dir, `${name}.properties`);
  writeFileSync(propertiesFile, propertiesText(spec.settings));
  return startService(
    keeper,
    {
      name,
      command: javaCommand(),
      args: [
        `-Xmx${spec.maxHeap}`,
        ...(spec.load === 'heavy' ? ['-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'] : ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']),
        ...(spec.jvm ?? []),
        ...kafkaJvm('warn', release),
        'kafka.Kafka',
        propertiesFile,
      ],
      env: process.env,
    },
    () => accepts(spec.port),
  );
}

/** Makes a copy of the formatted folder that of another node of the same cluster. */
function renumber(data: string, id: number): void {
  const file = join(data, 'meta.properties');
  const directoryId = Buffer.alloc(16, id).toString('base64url');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/^node\.id=.*$/m, `node.id=${id}`).replace(/^directory\.id=.*$/m, `directory.id=${directoryId}`));
}

export type Settings = Readonly<Record<string, string | number | boolean>>;

function guardSettings(keeper: Keeper, { key, certificate, plainUsers = {}, sessionMs = 0 }: Guard): { readonly settings: Settings } {
  const keyStore = join(keeper.dir, 'kafka.pem');
  writeFileSync(keyStore, `${key}\n${certificate}\n`);
  const module = (name: string) => `org.apache.kafka.common.security.${name} required`;
  const users = Object.entries(plainUsers).map(([user, password]) => ` user_${user}="${password}"`);
  const ofListener = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'plain.sasl.jaas.config': `${module('plain.PlainLoginModule')}${users.join('')};`,
    'scram-sha-256.sasl.jaas.config': `${module('scram.ScramLoginModule')};`,
    'scram-sha-512.sasl.jaas.config': `${module('scram.ScramLoginModule')};`,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keyStore,
    'connections.max.reauth.ms': sessionMs,
  };
  return {
    settings: {
      ...Object.fromEntries(Object.entries(ofListener).map(([name, value]) => [`listener.name.guarded.${name}`, value])),
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
  };
}

interface BrokerAddress {
  readonly port: number;
  readonly controllerPort: number;
  readonly data: string;
  readonly detour?: Detour | undefined;
  readonly guard?: { readonly port: number; readonly settings: Settings } | undefined;
  readonly overrides: Settings;
}

/** Settings of a single node, for development: nothing is replicated, internal topics are small. */
export function brokerSettings({
  port,
  controllerPort,
  data,
  detour,
  guard,
  overrides,
}: BrokerAddress): Record<string, string | number | boolean> {
  const listeners = [`PLAINTEXT://127.0.0.1:${port}`, `CONTROLLER://127.0.0.1:${controllerPort}`];
  const advertised = [`PLAINTEXT://127.0.0.1:${port}`];
  if (detour !== undefined) {
    listeners.push(`DETOUR://127.0.0.1:${detour.port}`);
    advertised.push(`DETOUR://${detour.advertised}`);
  }
  if (guard !== undefined) {
    listeners.push(`GUARDED://127.0.0.1:${guard.port}`);
    advertised.push(`GUARDED://127.0.0.1:${guard.port}`);
  }
  return {
    'process.roles': 'broker,controller',
    'node.id': ONLY_NODE,
    'controller.quorum.voters': `${ONLY_NODE}@127.0.0.1:${controllerPort}`,
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DETOUR:PLAINTEXT,GUARDED:SASL_SSL',
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
    ...guard?.settings,
    ...overrides,
  };
}

export function propertiesText(settings: Readonly<Record<string, string | number | boolean>>): string {
  return `${Object.entries(settings)
    // A backslash begins an escape in Java's properties format.
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}`)
    .join('\n')}\n`;
}
