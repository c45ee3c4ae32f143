/** Where the fields of a record batch (Kafka message format v2) start, counted from the batch's first byte. */
export const BATCH = {
  baseOffset: 0,
  length: 8,
  /** The length counts what follows here. */
  lengthEnd: 12,
  leaderEpoch: 12,
  magic: 16,
  /** CRC-32C of everything from `attributes` to the batch's end. */
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  /** The records start here: the size of the header. */
  records: 61,
} as const;

/** Bits of the attributes. */
export const ATTRIBUTE = {
  compression: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const;
