import type { Broker } from './kafka-broker.ts';

/** What people and brokers do to a topic while jobs use it. */
export type TopicChange =
  /** One more partition, behind the others. */
  | { readonly change: 'grow'; readonly topic: string }
  /** Deleted, and made anew after a while, with as many partitions and so many more. */
  | { readonly change: 'make-anew'; readonly topic: string; readonly afterMs: number; readonly more: number }
  /** The log starts later: of what it holds this share is left. */
  | { readonly change: 'delete-records'; readonly topic: string; readonly partition: number; readonly left: number };

/** The name of each change in the table of faults. */
const NAMES: Readonly<Record<TopicChange['change'], string>> = {
  grow: 'topic grew by a partition',
  'make-anew': 'topic deleted, and made anew',
  'delete-records': 'records deleted, the log starts later',
};

/** Changes the topic, if that can be done now. What happened: its name in the table, and what the history says. */
export function changeTopic(
  broker: Broker,
  change: TopicChange,
  later: (delayMs: number, run: () => void) => void,
): { readonly name: string; readonly text: string } | undefined {
  const partitions = broker.topics.get(change.topic);
  if (partitions === undefined) return undefined;
  const happened = (text: string) => ({ name: NAMES[change.change], text });
  switch (change.change) {
    case 'grow':
      broker.growTopic(change.topic);
      return happened(`${change.topic} has ${partitions.length} partitions now`);
    case 'make-anew':
      broker.deleteTopic(change.topic);
      later(change.afterMs, () => broker.createTopic(change.topic, partitions.length + change.more));
      return happened(`${change.topic} is deleted, and made anew in ${Math.round(change.afterMs)} ms`);
    case 'delete-records': {
      const found = partitions[change.partition];
      if (found === undefined) return undefined;
      const start = found.end - Math.floor((found.end - found.logStart) * change.left);
      if (start === found.logStart) return undefined;
      found.deleteRecords(start);
      return happened(`${change.topic}-${change.partition} starts at ${start} now`);
    }
  }
}
