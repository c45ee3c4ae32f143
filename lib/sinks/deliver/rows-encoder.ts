import { ByteWriter } from '../../format/byte-writer.ts';
import { UserCodeError } from '../../records/errors.ts';
import type { Push } from '../../records/push.ts';
import type { EncoderContext, RecordSink } from '../kind.ts';
import type { DeliverSinkSpec } from './spec.ts';
import { RowBatches } from './staged-rows.ts';

/** Encodes what one sink is to deliver in an epoch. */
export class RowsEncoder implements RecordSink {
  readonly #sink: string;
  readonly #spec: DeliverSinkSpec;
  readonly #row = new ByteWriter(256);
  readonly #batches: RowBatches;
  #records = 0;

  constructor(spec: DeliverSinkSpec, { sink }: Pick<EncoderContext, 'sink'>) {
    this.#sink = sink;
    this.#spec = spec;
    this.#batches = new RowBatches(new ByteWriter(), { maxRows: spec.maxBatchRows, maxBytes: spec.maxBatchBytes });
  }

  get records(): number {
    return this.#records;
  }

  begin(): void {
    this.#batches.reset();
    this.#records = 0;
  }

  readonly append: Push = (value) => {
    const row = this.#row;
    row.reset();
    try {
      this.#spec.value.write(value, row);
    } catch (cause) {
      throw new UserCodeError(this.#sink, cause);
    }
    this.#batches.append(row.view());
    this.#records++;
  };

  finish(): Buffer[] | undefined {
    return this.#records === 0 ? undefined : [this.#batches.finish()];
  }
}
