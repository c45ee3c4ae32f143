import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../lib/config/usage-error.ts';
import { startKafka } from '../../local/stack/kafka.ts';
import type { Keeper } from '../../local/stack/kept-process.ts';
import { withProgress } from '../../local/stack/progress.ts';
import { accepts, StartError } from '../../local/stack/service.ts';
import { installKafka, KAFKA_VERSION } from './install-kafka.ts';

/** What is said of the end of a broker, and how long it may take. */
const STOPPING = ['stopping Kafka', 20_000] as const;
/** Seconds of CPU, at the first end alone; killed before it is done, it would be begun again at each. */
const ARCHIVING = ['stopping Kafka, which keeps its classes once, for quicker starts', 180_000] as const;

export interface EmbeddedBroker {
  /** `127.0.0.1:<port>` */
  readonly bootstrap: string;
  /** In order: what is in the keeper's folder is there at the next start. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Undefined: one that is free. */
  readonly port: number | undefined;
  /** Where Kafka is brought from, if it has to be. */
  readonly archive: string;
  readonly say: (line: string) => void;
}

/**
 * Starts a Kafka broker on the keeper's folder: it ends with this process, however that ends.
 *
 * @throws UsageError: the port is in use, there is no Java, Kafka cannot be brought
 */
export async function startEmbedded(keeper: Keeper, { port, archive, say }: EmbeddedOptions): Promise<EmbeddedBroker> {
  if (port !== undefined && (await accepts(port)))
    throw new UsageError(`port ${port} is in use: end what listens there, name another with --port, or leave it out for one that is free`);
  const release = await installKafka(archive, say);
  // Under a name of its own: two projects may be the first at once.
  const classes = join(keeper.dir, 'classes.jsa');
  const jvm = release.archivesClasses ? [`-XX:ArchiveClassesAtExit=${classes}`, '-Xlog:disable', '-Xlog:all=error:stderr'] : [];
  try {
    const starting = startKafka(keeper, { release, port, jvm });
    const kafka = await withProgress(`starting Kafka ${KAFKA_VERSION}`, say, starting);
    return {
      bootstrap: kafka.bootstrap,
      async stop() {
        const [what, withinMs] = release.archivesClasses ? ARCHIVING : STOPPING;
        await withProgress(what, say, kafka.end(withinMs));
        keepClasses(classes, release.classArchive);
      },
    };
  } catch (error) {
    if (error instanceof StartError) throw new UsageError(`the embedded Kafka does not start: ${error.message}`);
    throw error;
  }
}

/** Halves the next starts. The cache may be on another file system, and others may read there. */
function keepClasses(made: string, archive: string): void {
  if (!existsSync(made)) return;
  const copy = `${archive}-${process.pid}`;
  copyFileSync(made, copy);
  renameSync(copy, archive);
  rmSync(made);
}
