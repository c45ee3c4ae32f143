/** What a job author imports. */

export type { StartingOffsets } from '../config/starting-offsets.ts';
export { ByteWriter } from '../format/byte-writer.ts';
export { NotPreparedError } from '../format/not-prepared.ts';
export type { RecordHeader } from '../format/record-header.ts';
export type { OlderForm, Serde, TopicPlace } from '../format/serde.ts';
export { bytes, customSerde, float64, int32, int64, json, structured, utf8 } from '../format/serdes.ts';
export type { StandardSchema } from '../format/standard-schema.ts';
export { type OlderVersion, type VersionedOptions, versioned } from '../format/versioned.ts';
export type {
  AsyncCall,
  BroadcastContext,
  JobDefinition,
  KeyedContext,
  NoSideOutputs,
  Output,
  SourceRecord,
  Timer,
  Timers,
} from '../graph/job.ts';
export { JobDefinitionError } from '../graph/job.ts';
export type { WindowContext, WindowProcessContext } from '../graph/windows.ts';
export { MalformedError } from '../protocol/malformed.ts';
export { DeliveryRefusedError } from '../sinks/deliver/refused.ts';
export type { DeliveryPlace, DeliveryStart } from '../sinks/deliver/spec.ts';
export type { DynamoItem, DynamoValue, DynamoWrite } from '../sinks/dynamodb/spec.ts';
export type { CsvColumn, CsvValue } from '../sinks/files/formats/csv.ts';
export type { Compression, FileAssembly, FileFormat, RowTime } from '../sinks/files/spec.ts';
export type { OutputRecord, SinkTopic } from '../sinks/kafka/spec.ts';
export type { AggregatingState } from '../state/columns/aggregating.ts';
export type { ListState } from '../state/columns/list.ts';
export type { MapState } from '../state/columns/map.ts';
export type { ReducingState } from '../state/columns/reducing.ts';
export type { ValueState } from '../state/columns/value.ts';
export { type ConnectedOperator, type ConnectedStreams, type ConnectInputs, connect, type ReadonlyStateHandles } from './connect.ts';
export { defineJob, type JobBuilder } from './define-job.ts';
export { type DynamoSink, type DynamoSinkOptions, type DynamoWriteSinkOptions, dynamoSink } from './dynamo.ts';
export type { EventTime } from './event-time.ts';
export { type CsvOptions, csv, type FileSink, type FileSinkOptions, fileSink, jsonLines } from './files.ts';
export type { IntervalBounds, IntervalJoin, LeftIntervalJoin } from './joins/interval-join.ts';
export type { FullTablesJoin, LeftTablesJoin, TableChange, TablesJoin } from './joins/join-tables.ts';
export type { LeftVersionJoin, VersionJoin } from './joins/version-joins.ts';
export type { FullWindowJoin, LeftWindowJoin, RightWindowJoin, WindowJoin } from './joins/window-join.ts';
export {
  type KafkaKeyedSinkOptions,
  type KafkaRecordSinkOptions,
  type KafkaSink,
  type KafkaSinkOptions,
  type KafkaSource,
  type KafkaSourceOptions,
  kafkaSink,
  kafkaSource,
} from './kafka.ts';
export type { MapAsyncOptions } from './map-async.ts';
export type { DistinctCountOptions, KeyCount } from './shapes/distinct-count.ts';
export type { RankOrder } from './shapes/ranking.ts';
export type { RankChange, RunningTopN, TopN, TopNOptions, WindowTop } from './shapes/top-n.ts';
export {
  type SideOutputSpec,
  type SideOutputSpecs,
  type SideOutputs,
  type SideOutputValue,
  sideOutput,
} from './side-outputs.ts';
export type { Sink } from './sinks.ts';
export {
  type Aggregate,
  type AggregatingStateSpec,
  aggregatingState,
  type ListStateSpec,
  listState,
  type MapStateSpec,
  mapState,
  type ReducingStateSpec,
  reducingState,
  renamed,
  type StateHandles,
  type StateSpec,
  type StateSpecs,
  type TtlOptions,
  type ValueStateSpec,
  valueState,
  withTtl,
} from './state.ts';
export type {
  BroadcastOptions,
  BroadcastStream,
  DataStream,
  DeduplicateOptions,
  KeyByOptions,
  KeyedOperator,
  KeyedStream,
  KeySum,
  OrderedStream,
  SideStreams,
  WindowedStream,
  WindowProcessOptions,
  WindowStream,
  WithSideOutputs,
} from './streams.ts';
export type { RenamedUid, Uid } from './uid.ts';
export {
  type CountWindows,
  countWindows,
  cumulatingWindows,
  sessionWindows,
  slidingWindows,
  type TimeWindows,
  tumblingWindows,
  type WindowAggregate,
  type WindowOptions,
  type WindowResult,
} from './windows.ts';
export { type WriteAheadSink, type WriteAheadSinkOptions, writeAheadSink } from './write-ahead.ts';
