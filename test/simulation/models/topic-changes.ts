import type { Broker } from './kafka-broker.ts';
import type { LeaderMove } from './replication.ts';

/** Which of the job's topics it is. */
type Role = 'source' | 'sink';

/** What people and brokers do to a topic while jobs use it. */
export type TopicChange =
  /** One more partition, behind the others. Some brokers have not heard of it for so long. */
  | { readonly change: 'grow'; readonly topic: string; readonly of: Role; readonly unheardMs: number }
  /** Deleted, and made anew after a while, with as many partitions and so many more, and with these records in each. */
  | {
      readonly change: 'make-anew';
      readonly topic: string;
      readonly of: Role;
      readonly afterMs: number;
      readonly more: number;
      readonly refill?: readonly string[];
    }
  /** The log starts later: of what it holds this share is left. */
  | { readonly change: 'delete-records'; readonly topic: string; readonly of: Role; readonly partition: number; readonly left: number }
  /** Another broker leads the partition, and not everybody knows at once. */
  | ({ readonly change: 'move-leader'; readonly topic: string; readonly of: Role; readonly partition: number } & LeaderMove);

/** In the table of faults. */
function nameOf({ change, of }: TopicChange): string {
  switch (change) {
    case 'grow':
      return `${of} topic grew by a partition`;
    case 'make-anew':
      return `${of} topic deleted, and made anew`;
    case 'delete-records':
      return `records of a ${of} topic deleted`;
    case 'move-leader':
      return `leader of a ${of} partition moved`;
  }
}

/** Changes the topic, if that can be done now. What happened: its name in the table, and what the history says. */
export function changeTopic(
  broker: Broker,
  change: TopicChange,
  later: (delayMs: number, run: () => void) => void,
): { readonly name: string; readonly text: string } | undefined {
  const partitions = broker.topics.get(change.topic);
  if (partitions === undefined) return undefined;
  const happened = (text: string) => ({ name: nameOf(change), text });
  switch (change.change) {
    case 'grow':
      broker.catalog.grow(change.topic, change.unheardMs);
      return happened(`${change.topic} has ${partitions.length} partitions now`);
    case 'make-anew':
      broker.catalog.delete(change.topic);
      later(change.afterMs, () => {
        broker.catalog.create(change.topic, partitions.length + change.more);
        for (const [partition] of broker.topics.get(change.topic)?.entries() ?? [])
          if (change.refill !== undefined && change.refill.length > 0)
            broker.appendPlain(
              change.topic,
              partition,
              change.refill.map((line) => `${line}.${partition}`),
            );
      });
      return happened(`${change.topic} is deleted, and made anew in ${Math.round(change.afterMs)} ms`);
    case 'delete-records': {
      const found = partitions[change.partition];
      if (found === undefined) return undefined;
      const start = found.end - Math.floor((found.end - found.logStart) * change.left);
      if (start === found.logStart) return undefined;
      found.deleteRecords(start);
      return happened(`${change.topic}-${change.partition} starts at ${start} now`);
    }
    case 'move-leader': {
      const found = partitions[change.partition];
      if (found === undefined || found.leaderless) return undefined;
      found.moveLeader(change);
      const { highWatermark, end } = found;
      const still = change.servesMs > 0 ? ', and the old one still answers' : '';
      return happened(`${found.leader} leads ${change.topic}-${change.partition}, and shows ${highWatermark} of ${end}${still}`);
    }
    default:
      return change satisfies never;
  }
}
