import type { CoordinatorDeps, JobSettings, Tenure } from '../../epoch/coordinator/context.ts';
import { poolIds } from './ids.ts';
import { readOpen } from './left-open.ts';
import { nameOfOpen, sayHanging } from './say-hanging.ts';

const LOOK_TIMEOUT_MS = 10_000;

/** Finds transactions in the sinks' topics that nobody is going to end. */
export interface OpenWatch {
  /** One look at the sinks' topics; changes nothing there. Has something been open under the job's ids in this look and in the one before? */
  look(): Promise<boolean>;
}

/**
 * What a zombie (an attempt that was given up, of a coordinator that was superseded) opens after the ids were settled is ended
 * by the next attempt that writes there. A job without input has none, an id beyond today's parallelism is not used at all, and
 * a broker may have forgotten the end: then readers of committed data would wait until the next stop. So the holder of the job
 * looks, now and then. What is found may be an epoch's that is only slow: it is settled between epochs, when nothing is in flight.
 *
 * What is open under a producer id that is not the job's any more, or never was, the job cannot end: a person does (`sayHanging`).
 */
export function createOpenWatch(deps: CoordinatorDeps, { job }: JobSettings, tenure: Tenure): OpenWatch {
  const { kafka, clock, random } = deps;
  const topics = [...new Set(Object.values(tenure.writtenTopics).flat())];
  const ids = poolIds(job, tenure.incarnation, tenure.pool);
  const said = new Set<string>();
  let seen: ReadonlySet<string> = new Set();

  return {
    async look() {
      const asking = { kafka, clock, random, deadlineMs: clock.elapsedMs() + LOOK_TIMEOUT_MS };
      const open = (await Promise.all(topics.map((topic) => readOpen(asking, topic)))).flatMap((reading) => reading.open);
      const lasting = open.filter((one) => seen.has(nameOfOpen(one)));
      seen = new Set(open.map(nameOfOpen));
      if (lasting.length === 0) return false;
      const own = new Set((await kafka.describeTransactions(ids)).map(({ producerId }) => producerId));
      await sayHanging(
        deps,
        lasting.filter(({ producerId }) => !own.has(producerId)),
        said,
      );
      return lasting.some(({ producerId }) => own.has(producerId));
    },
  };
}
