/** Of the word count: where the console commands write and read unless they are told otherwise. */
export const DEFAULT_TOPICS = { produce: 'flink_kafka', consume: 'flink_kafka2' } as const;
