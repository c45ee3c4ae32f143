import type { Timing } from '../../ports/clock.ts';
import type { KafkaRequests } from '../../ports/kafka-requests.ts';
import type { OpenWatch } from '../connector.ts';
import { readOpen } from './left-open.ts';
import { nameOfOpen, sayHanging } from './say-hanging.ts';

const LOOK_TIMEOUT_MS = 10_000;

/**
 * What a zombie (an attempt that was given up, of a coordinator that was superseded) opens after the ids were settled is ended
 * by the next attempt that writes there. A job without input has none, an id beyond today's parallelism is not used at all, and
 * a broker may have forgotten the end: then readers of committed data would wait until the next stop. So the holder of the job
 * looks, now and then. What is found may be an epoch's that is only slow: it is settled between epochs, when nothing is in flight.
 *
 * What is open under a producer id that is not the job's any more, or never was, the job cannot end: a person does (`sayHanging`).
 *
 * @param cluster of which all of it is
 * @param ids every transactional id that the job may have open
 * @param topics where
 */
export function watchOpen(
  { kafka, clock, random }: Timing & { readonly kafka: KafkaRequests },
  cluster: string,
  ids: string[],
  topics: string[],
): OpenWatch {
  const said = new Set<string>();
  let seen: ReadonlySet<string> = new Set();
  return {
    async look(tell) {
      const asking = { kafka, clock, random, deadlineMs: clock.elapsedMs() + LOOK_TIMEOUT_MS };
      const open = (await Promise.all(topics.map((topic) => readOpen(asking, topic)))).flatMap((reading) => reading.open);
      const lasting = open.filter((one) => seen.has(nameOfOpen(one)));
      seen = new Set(open.map(nameOfOpen));
      if (lasting.length === 0) return false;
      const own = new Set((await kafka.describeTransactions(ids)).map(({ producerId }) => producerId));
      await sayHanging(
        { kafka, clock, cluster, tell },
        lasting.filter(({ producerId }) => !own.has(producerId)),
        said,
      );
      return lasting.some(({ producerId }) => own.has(producerId));
    },
  };
}
