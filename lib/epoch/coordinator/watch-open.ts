import { poolIds } from '../../transactions/ids.ts';
import { readOpen } from '../../transactions/left-open.ts';
import type { CoordinatorDeps, JobSettings, Tenure } from './context.ts';
import { nameOfOpen, sayHanging } from './say-hanging.ts';

/** How often the sinks' topics are looked at. Longer than an epoch of a job that is well has its transactions open. */
export const OPEN_LOOK_INTERVAL_MS = 30_000;
const LOOK_TIMEOUT_MS = 10_000;

/** Finds transactions in the sinks' topics that nobody is going to end. */
export interface OpenWatch {
  /** One look at the sinks' topics; changes nothing there. */
  look(): Promise<void>;
  /** Has something been open under the job's ids in two looks, one after the other? */
  foundAny(): boolean;
  /** Every id was settled. */
  settled(): void;
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
  let found = false;

  return {
    async look() {
      const asking = { kafka, clock, random, deadlineMs: clock.elapsedMs() + LOOK_TIMEOUT_MS };
      const open = (await Promise.all(topics.map((topic) => readOpen(asking, topic)))).flatMap((reading) => reading.open);
      const lasting = open.filter((one) => seen.has(nameOfOpen(one)));
      seen = new Set(open.map(nameOfOpen));
      if (lasting.length === 0) return;
      const own = new Set((await kafka.describeTransactions(ids)).map(({ producerId }) => producerId));
      found = lasting.some(({ producerId }) => own.has(producerId));
      await sayHanging(
        deps,
        lasting.filter(({ producerId }) => !own.has(producerId)),
        said,
      );
    },
    foundAny: () => found,
    settled() {
      found = false;
    },
  };
}
