/** One header of a Kafka record. An undefined value is Kafka's null. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}
