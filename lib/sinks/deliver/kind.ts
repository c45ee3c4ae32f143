import type { SinkKind } from '../kind.ts';
import { rowOf } from '../output-row.ts';
import { CONNECTOR } from './coordination.ts';
import { RowsEncoder } from './rows-encoder.ts';
import type { DeliverSinkSpec, DeliverTarget } from './spec.ts';
import { readBatches } from './staged-rows.ts';

/** A function of the job's author. */
export const deliverKind = {
  targetOf: ({ kind }) => ({ kind }),
  names: () => [],
  renamed: (spec) => spec,
  describe: ({ kind, value }) => ({ to: kind, value: value.name }),
  serdesOf: ({ value }) => ({ value }),
  topics: () => [],
  writesTo: () => 'delivers by a function',
  rows: (spec, payload, name) =>
    readBatches(payload, name).flatMap(({ bytes, rows }) =>
      rows.map(({ start, end }) => rowOf('', bytes.subarray(start, end), spec?.value)),
    ),
  // The encoder alone sees the values: the author's functions get what is read from staged output.
  givesToUser: () => false,
  encoder: (spec, context) => new RowsEncoder(spec, context),
  connectors: { 'exactly-once': CONNECTOR, 'at-least-once': CONNECTOR },
} as const satisfies SinkKind<DeliverSinkSpec, DeliverTarget>;
