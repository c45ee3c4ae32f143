import { ByteWriter } from '../../format/byte-writer.ts';
import { MalformedError } from '../../protocol/malformed.ts';
import { type Own, shapeFault } from '../../protocol/shape.ts';
import { UserCodeError } from '../../records/errors.ts';
import { type Push, refusePromise } from '../../records/push.ts';
import type { EncoderContext, RecordSink } from '../kind.ts';
import { itemOf, sizeOfItem } from './attributes.ts';
import { checkIndexKeys, keyIn } from './keys.ts';
import type { DynamoSinkSpec, DynamoWrite } from './spec.ts';
import { headOf, type StagedWrite, type TableFacts, tableFactsSchema } from './staged-items.ts';

const MOST_ITEM_BYTES = 400 * 1024;

/** Encodes what one sink writes in an epoch, as items. */
export class ItemsEncoder implements RecordSink {
  readonly #sink: string;
  readonly #spec: DynamoSinkSpec;
  readonly #factsNow: EncoderContext['facts'];
  readonly #out = new ByteWriter();
  #facts: TableFacts | undefined;
  #records = 0;

  constructor(spec: DynamoSinkSpec, { sink, facts }: Pick<EncoderContext, 'sink' | 'facts'>) {
    this.#sink = sink;
    this.#spec = spec;
    this.#factsNow = facts;
  }

  get records(): number {
    return this.#records;
  }

  begin(): void {
    this.#facts = tableFacts(this.#factsNow(), this.#sink);
    this.#out.reset();
    this.#out.utf8(headOf(this.#facts));
    this.#records = 0;
  }

  readonly append: Push = (value) => {
    const { toWrite } = this.#spec;
    try {
      const write = toWrite === undefined ? { put: value } : toWrite(value);
      refusePromise(write);
      this.#out.utf8(JSON.stringify(this.#staged(write as DynamoWrite)));
      this.#out.u8(0x0a);
    } catch (cause) {
      throw new UserCodeError(this.#sink, cause);
    }
    this.#records++;
  };

  finish(): Buffer[] | undefined {
    return this.#records === 0 ? undefined : [this.#out.view()];
  }

  #staged(write: DynamoWrite): StagedWrite {
    const { table, keys } = this.#facts as TableFacts;
    if (write.delete !== undefined && write.put !== undefined)
      throw new TypeError('toWrite gave both { put } and { delete }: of one value one write is made');
    if (write.delete !== undefined) return { delete: keyIn(itemOf(write.delete, 'delete'), keys, table) };
    if (write.put === undefined) throw new TypeError('toWrite gave neither { put } nor { delete }');
    const item = itemOf(write.put, 'put');
    keyIn(item, keys, table);
    checkIndexKeys(item, keys, table);
    const bytes = sizeOfItem(item);
    if (bytes > MOST_ITEM_BYTES) throw new TypeError(`the item has ${bytes} bytes, and DynamoDB takes ${MOST_ITEM_BYTES}`);
    return { put: item };
  }
}

function tableFacts(facts: Own, sink: string): TableFacts {
  const fault = shapeFault(tableFactsSchema, facts);
  if (fault !== undefined) throw new MalformedError(`what is known of the table of sink ${sink} is not what its connector says: ${fault}`);
  return facts as TableFacts;
}
