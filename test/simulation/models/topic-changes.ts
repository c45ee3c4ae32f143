import type { Broker } from './kafka-broker.ts';

/** What people and brokers do to a topic while jobs use it. */
export type TopicChange =
  /** One more partition, behind the others. */
  { readonly change: 'grow'; readonly topic: string };

/** The name of each change in the table of faults. */
const NAMES: Readonly<Record<TopicChange['change'], string>> = {
  grow: 'topic grew by a partition',
};

/** Changes the topic, if that can be done now. What happened: its name in the table, and what the history says. */
export function changeTopic(broker: Broker, change: TopicChange): { readonly name: string; readonly text: string } | undefined {
  const partitions = broker.topics.get(change.topic);
  if (partitions === undefined) return undefined;
  const happened = (text: string) => ({ name: NAMES[change.change], text });
  switch (change.change) {
    case 'grow':
      broker.growTopic(change.topic);
      return happened(`${change.topic} has ${partitions.length} partitions now`);
  }
}
