import * as z from 'zod';
import { CorruptBlobError } from '../../format/blob.ts';
import type { Item } from '../../ports/item-tables.ts';
import { list, name, shapeFault } from '../../protocol/shape.ts';

const keyAttributeSchema = z.object({ name, type: z.enum(['S', 'N', 'B']) }).readonly();
const indexKeySchema = z.object({ name, type: z.enum(['S', 'N', 'B']), index: name, of: z.enum(['partition', 'sort']) }).readonly();
const keySchema = z
  .object({ partition: keyAttributeSchema, sort: keyAttributeSchema.optional(), indexKeys: list(indexKeySchema).optional() })
  .readonly();

/** What is known of a sink's table: the keys of its items, and where its ledger is. */
export const tableFactsSchema = z.object({ table: name, keys: keySchema, ledgerTable: name, ledgerKeys: keySchema }).readonly();
export type TableFacts = z.infer<typeof tableFactsSchema>;

/** A write as it is staged. */
export type StagedWrite = { readonly put: Item } | { readonly delete: Item };

const writeSchema = z.union([
  z.object({ put: z.record(z.string(), z.looseObject({})) }),
  z.object({ delete: z.record(z.string(), z.looseObject({})) }),
]);

export interface StagedItems {
  readonly facts: TableFacts;
  readonly writes: readonly { readonly write: StagedWrite; readonly bytes: number }[];
}

/** The head of an `output` blob's payload; the writes follow, a JSON text a line. */
export function headOf(facts: TableFacts): string {
  return `${JSON.stringify(facts)}\n`;
}

/** The payload of an `output` blob: JSON lines. Throws `CorruptBlobError`; `blob` is for its message. */
export function decodeStagedItems(payload: Buffer, blob: string): StagedItems {
  const corrupt = (what: string) => new CorruptBlobError(blob, 'output', what);
  const [head = '', ...lines] = payload.toString('utf8').split('\n');
  if (lines.pop() !== '') throw corrupt('it ends within a line');
  const facts = parsed(head);
  const fault = shapeFault(tableFactsSchema, facts);
  if (fault !== undefined) throw corrupt(`its first line says nothing of a table: ${fault}`);
  const writes = lines.map((line, index) => {
    const write = parsed(line);
    const wrong = shapeFault(writeSchema, write);
    if (wrong !== undefined) throw corrupt(`its line ${index + 2} is no write: ${wrong}`);
    return { write: write as StagedWrite, bytes: Buffer.byteLength(line) };
  });
  return { facts: facts as TableFacts, writes };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
