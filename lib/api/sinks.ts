import type { DynamoSink } from './dynamo.ts';
import type { FileSink } from './files.ts';
import type { KafkaSink } from './kafka.ts';
import type { WriteAheadSink } from './write-ahead.ts';

/** Where a stream of values of type `T` can be written to. */
export type Sink<T> = KafkaSink<T> | WriteAheadSink<T> | FileSink<T> | DynamoSink<T>;
