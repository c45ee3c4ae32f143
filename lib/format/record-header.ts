/** One header of a Kafka record. An undefined value is Kafka's null. */
export interface RecordHeader {
  /** Its name. Several headers of a record may have one. */
  readonly key: string;
  /** Its bytes. */
  readonly value: Uint8Array | undefined;
}

/** A header as it is written: a key that was read as bytes is written as they were. */
export interface WireHeader {
  readonly key: string | Uint8Array;
  readonly value: Uint8Array | undefined;
}
