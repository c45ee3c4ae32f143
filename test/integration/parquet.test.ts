import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../../host/system.ts';
import { fileSink } from '../../lib/api/index.ts';
import { type ParquetType, parquet } from '../../lib/formats/parquet.ts';
import { commitPermitSchema } from '../../lib/protocol/permit.ts';
import { FilesEncoder } from '../../lib/sinks/files/files-encoder.ts';
import { serveFiles } from '../../lib/sinks/files/server.ts';
import type { FileSinkSpec } from '../../lib/sinks/files/spec.ts';
import { createFolderUploads } from '../../lib/storage/folder-uploads.ts';
import { INSTALLED, installed } from '../../local/stack/installed.ts';

interface Row {
  readonly n: number;
  readonly text: string | undefined;
  readonly flag: boolean | null;
  readonly big: bigint;
  readonly ratio: number | undefined;
  readonly at: Date | undefined;
  readonly raw: Uint8Array | undefined;
}

const COLUMNS: readonly { readonly name: keyof Row; readonly type: ParquetType }[] = [
  { name: 'n', type: 'int32' },
  { name: 'text', type: 'string' },
  { name: 'flag', type: 'boolean' },
  { name: 'big', type: 'int64' },
  { name: 'ratio', type: 'double' },
  { name: 'at', type: 'timestamp' },
  { name: 'raw', type: 'bytes' },
];

const rowOf = (n: number): Row => ({
  n: n % 2 === 0 ? n : -n,
  text: n % 5 === 0 ? undefined : `row ${n} é語${'x'.repeat(n % 40)}`,
  flag: n % 3 === 0 ? null : n % 2 === 0,
  big: 2n ** 62n + BigInt(n) * (n % 2 === 0 ? 1n : -1n),
  ratio: n % 7 === 0 ? undefined : n / 8,
  at: n % 11 === 0 ? undefined : new Date(Date.UTC(2026, 0, 1) + n * 1_001),
  raw: n % 13 === 0 ? undefined : Buffer.from([n & 0xff, 0, 255]),
});

/** What DuckDB reads of all files below a folder: each row as JSON text, in the order of `big`. */
function readByDuckDb(folder: string): { readonly types: readonly string[]; readonly rows: readonly unknown[] } {
  const program = `
import duckdb, json, sys
files = f"read_parquet('{sys.argv[1]}/**/*.parquet', hive_partitioning=false)"
db = duckdb.connect()
types = [f"{name} {kind}" for name, kind, *_ in db.sql(f"describe select * from {files}").fetchall()]
rows = db.sql(f'select n, text, flag, big::varchar, ratio, epoch_ms("at"), hex(raw) from {files} order by abs(n)').fetchall()
print(json.dumps({"types": types, "rows": rows}))
`;
  const text = execFileSync(installed('duckdb', INSTALLED.duckdbPython), ['-c', program, folder], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  return JSON.parse(text) as ReturnType<typeof readByDuckDb>;
}

const asRead = ({ n, text, flag, big, ratio, at, raw }: Row) => [
  n,
  text ?? null,
  flag,
  String(big),
  ratio ?? null,
  at?.getTime() ?? null,
  raw === undefined ? null : Buffer.from(raw).toString('hex').toUpperCase(),
];

/** Two subtasks' rows of one epoch, committed to a folder. */
async function written(rows: readonly Row[], options: { readonly maxFileBytes?: number } = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-parquet-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const location = `file://${folder}`;
  const sink = fileSink<Row>({ location, format: parquet<Row>({ columns: COLUMNS }), path: ({ n }) => `odd=${n < 0}`, ...options });
  const spec = sink as FileSinkSpec;
  const current = { timestamp: 0, key: undefined, keyHash: 0, keySerde: undefined, origin: '', turn: 0 };
  const half = Math.ceil(rows.length / 2);
  const payloads = [rows.slice(0, half), rows.slice(half)].map((part) => {
    const encoder = new FilesEncoder(spec, { sink: 's', current });
    encoder.begin();
    for (const row of part) encoder.append(row);
    return Buffer.from(Buffer.concat(encoder.finish() ?? []));
  });
  const staged = { isEmpty: false, read: async () => payloads.map((payload, index) => ({ payload, name: `${index}` })) };
  const store = createFolderUploads({ folder });
  const server = serveFiles({ uploads: async () => store, items: () => Promise.reject(new Error('no tables')) }, () => spec);
  const until = { clock, random, deadlineMs: clock.elapsedMs() + 60_000 };
  const place = { job: 'j', incarnation: 'i', sink: 's', subtask: 0, epoch: 7 };
  const prepared = await server.prepare(until, place, { location, manifests: false }, staged);
  if (prepared.outcome !== 'prepared' || prepared.committable === undefined) throw new Error('it was not prepared');
  const permit = commitPermitSchema.parse({ epoch: 7, decisionId: 'd', generation: 1, decided: true });
  expect(await server.commit(until, permit, prepared.committable, { terms: {}, isOld: false })).toEqual({ outcome: 'committed' });
  return folder;
}

it('DuckDB reads of Parquet files the rows that were written, each column with its type, and nulls where nothing was', async () => {
  const rows = Array.from({ length: 5_000 }, (_, n) => rowOf(n));
  const read = readByDuckDb(await written(rows));
  expect(read.types).toEqual(['n INTEGER', 'text VARCHAR', 'flag BOOLEAN', 'big BIGINT', 'ratio DOUBLE', 'at TIMESTAMP', 'raw BLOB']);
  expect(read.rows).toEqual(rows.map(asRead));
});

it('DuckDB reads the same of many files that roll by size, and of columns in which nothing ever was', async () => {
  const rows = Array.from({ length: 300 }, (_, n) => ({ ...rowOf(n), text: undefined, raw: undefined }));
  const read = readByDuckDb(await written(rows, { maxFileBytes: 1024 }));
  expect(read.rows).toEqual(rows.map(asRead));
});
