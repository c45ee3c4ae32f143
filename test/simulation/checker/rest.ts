import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { START_MS } from '../kernel/process.ts';
import { shapeOf } from '../sim-job.ts';
import { own } from './contents.ts';
import type { Life } from './life.ts';
import { presentLife, type Scene } from './scene.ts';
import { waitingIn } from './times.ts';
import type { Transactions } from './transactions.ts';

/* The job goes on, and leaves nothing behind that holds up others (I6). */

/** What `sources` have not read yet, what is not committed yet, which log cannot be read to its end yet: the first of it. */
export function unfinished(scene: Scene, transactions: Transactions, sources: readonly string[], strands: boolean): string | undefined {
  const life = presentLife(scene);
  const last = life?.decided.at(-1)?.manifest;
  if (life === undefined || last === undefined) return 'nothing was decided';
  const unread = unreadOf(scene, life, sources) ?? waitingIn(scene);
  if (unread !== undefined) return unread;
  const open = transactions.uncommitted(life);
  if (open.length > 0) return `what was decided is not committed: ${open.join(', ')}`;
  for (const partitions of scene.broker.topics.values()) {
    for (const { topic, partition, lastStableOffset, end } of partitions)
      if (lastStableOffset < end && !(strands && isStranded(scene, topic, partition)))
        return `the last stable offset of ${topic}-${partition} is ${lastStableOffset} of ${end}`;
  }
  return undefined;
}

/** A job that was deleted has no more to do. */
function unreadOf({ job, broker }: Scene, life: Life, sources: readonly string[]): string | undefined {
  const { offsets, topicIds } = life.decided.at(-1)?.manifest ?? {};
  for (const uid of life.over ? [] : sources) {
    const topic = shapeOf(job).sources.get(uid) ?? '';
    if (!broker.topics.has(topic)) return `${topic} is not there at the moment`;
    const isAnother = own(own(topicIds, uid), topic) !== broker.catalog.idOf(topic);
    for (const { partition, end } of broker.topics.get(topic) ?? []) {
      const offset = own(own(offsets, uid), topic)?.[partition] ?? 0;
      if (isAnother && offset > 0 && end > 0) return `${uid} has not seen that ${topic} was made anew`;
      if (offset < end) return `${uid} has read partition ${partition} of ${topic} to ${offset} of ${end}`;
    }
  }
  return undefined;
}

/** Is what holds up its readers nothing that a client could end? */
function isStranded({ broker }: Scene, topic: string, partition: number): boolean {
  const stranded = broker.stranded().filter((one) => one.topic === topic && one.partition === partition);
  return stranded.length > 0 && stranded.length === broker.partition(topic, partition)?.open.size;
}

export function checkNothingOpen({ broker, fail }: Scene): void {
  const open = broker.transactions.open();
  if (open.length > 0) fail('I6', `open transactions remain: ${open.join(', ')}`);
}

/** After somebody brought the job to rest: nothing that was decided may wait for a commit. */
export function checkAtRest(scene: Scene, transactions: Transactions, after: string): void {
  const life = presentLife(scene);
  const open = life === undefined ? [] : transactions.uncommitted(life);
  if (open.length > 0) scene.fail('I6', `${after} left uncommitted what was decided: ${open.join(', ')}`);
}

/** What is open for longer than any may be is told by the timestamps of its records: of those that carry the time of the run, none is. */
function isFresh({ broker }: Pick<Scene, 'broker'>, topic: string, partition: number, producerId: bigint): boolean {
  const last = broker.partition(topic, partition)?.batches.findLast((batch) => batch.producerId === producerId);
  return last !== undefined && Number(last.bytes.readBigInt64BE(LAST_TIMESTAMP_AT)) > START_MS - LONGEST_TRANSACTION_MS;
}

const LAST_TIMESTAMP_AT = 35;
const LONGEST_TRANSACTION_MS = 900_000;

/** In the end: readers that stall for good do not stall unnoticed. */
export function checkSaid({ broker, fail }: Scene, events: readonly CoordinatorEvent[]): void {
  const said = events.flatMap((event) => ('message' in event ? [event.message] : []));
  for (const { topic, partition, producerId } of broker.stranded())
    if (
      !isFresh({ broker }, topic, partition, producerId) &&
      !said.some((text) => text.includes(`${topic}-${partition}`) && text.includes(String(producerId)))
    )
      fail(
        'I6',
        `readers of ${topic}-${partition} wait for a transaction of producer ${producerId}, which no client can end, and nobody said it`,
      );
}
