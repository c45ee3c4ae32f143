import type { SinkKind } from '../kind.ts';
import { CONNECTOR } from './coordination.ts';
import { ItemsEncoder } from './items-encoder.ts';
import type { DynamoSinkSpec, DynamoTarget } from './spec.ts';
import { decodeStagedItems } from './staged-items.ts';

/** A table of DynamoDB. */
export const dynamoKind = {
  targetOf: ({ kind, table, ledgerTable }) => ({ kind, table, ledgerTable }),
  names: () => [],
  renamed: (spec) => spec,
  describe: ({ kind, table }) => ({ to: kind, table }),
  serdesOf: () => ({}),
  topics: () => [],
  writesTo: ({ table }) => `writes table ${table}`,
  rows: (_, payload, name) =>
    decodeStagedItems(payload, name).writes.map(({ write }) => ({
      place: '',
      identity: JSON.stringify(write),
      timestamp: undefined,
      key: undefined,
      value: write,
    })),
  givesToUser: ({ toWrite }) => toWrite !== undefined,
  encoder: (spec, context) => new ItemsEncoder(spec, context),
  connectors: { 'exactly-once': CONNECTOR, 'at-least-once': CONNECTOR },
} as const satisfies SinkKind<DynamoSinkSpec, DynamoTarget>;
