import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { csv, fileSink, jsonLines } from '../../../../lib/api/index.ts';
import { UserCodeError } from '../../../../lib/records/errors.ts';
import { bytesOf, cutFiles } from '../../../../lib/sinks/files/cut-files.ts';
import { FilesEncoder } from '../../../../lib/sinks/files/files-encoder.ts';
import { filesKind } from '../../../../lib/sinks/files/kind.ts';
import { checkedPath, isOwnKey, keyOf, manifestKey, stemOf } from '../../../../lib/sinks/files/paths.ts';
import type { FileSinkSpec } from '../../../../lib/sinks/files/spec.ts';
import { decodeStagedFiles, encodeStagedFiles } from '../../../../lib/sinks/files/staged-files.ts';
import type { SinkSpec } from '../../../../lib/sinks/kinds.ts';

const current = { timestamp: 0, key: undefined, keyHash: 0, keySerde: undefined, origin: '', turn: 0 };

function encoderOf(options: Partial<Parameters<typeof fileSink<string>>[0]> = {}): FilesEncoder {
  const spec: SinkSpec = fileSink<string>({ location: 's3://bucket', format: jsonLines<string>(), ...options }) as SinkSpec;
  return new FilesEncoder(spec as FileSinkSpec, { sink: 'store', current });
}

function staged(encoder: FilesEncoder, rows: readonly string[]): Buffer {
  encoder.begin();
  for (const row of rows) encoder.append(row);
  return Buffer.concat(encoder.finish() ?? []);
}

describe('folders', () => {
  it.each(['', 'a', 'hour=2026-01-01T08', 'a/b c/ü', 'x'.repeat(120)])('%j is one', (path) => {
    expect(checkedPath(path)).toBe(path);
  });

  it.each(['/a', 'a/', 'a//b', '..', 'a/../b', './a', '.hidden', 'a\\b', 'a\nb', '_manifests/x', 'x'.repeat(121), '\ud800', 1, undefined])(
    '%j is none',
    (path) => {
      expect(() => checkedPath(path)).toThrow(/must give/);
    },
  );

  it('one that is none fails the record, as does a row that the format cannot hold', () => {
    const encoder = encoderOf({ path: () => '../up' });
    encoder.begin();
    expect(() => encoder.append('row')).toThrow(UserCodeError);
    const other = encoderOf();
    other.begin();
    expect(() => other.append(1n)).toThrow(UserCodeError);
    expect(() => other.append(undefined)).toThrow(/JSON has no text for undefined/);
  });

  it('are told the time of the record', () => {
    const encoder = encoderOf({ path: (_row, { timestamp }) => `at=${timestamp}` });
    encoder.begin();
    current.timestamp = 5;
    encoder.append('row');
    current.timestamp = 7;
    encoder.append('row');
    const { sections } = decodeStagedFiles(Buffer.concat(encoder.finish() ?? []), 'blob');
    expect(sections.map(({ folder }) => folder)).toEqual(['at=5', 'at=7']);
  });
});

describe('names', () => {
  const place = { job: 'my.job', incarnation: '0a', sink: 'a', subtask: 3, epoch: 12 };
  const scope = { job: 'my.job', incarnation: '0a', sinks: { a: { subtasks: 4, places: [] } } };
  const stem = stemOf(place);

  it('are the epoch’s own, and told from all others’', () => {
    expect(keyOf('x/y', stem, 0, 'csv.gz')).toBe('x/y/my.job-0a-a-3-000000000012-0.csv.gz');
    expect(isOwnKey(keyOf('x/y', stem, 0, 'csv.gz'), scope)).toBe(true);
    expect(isOwnKey(manifestKey(stem), scope)).toBe(true);
    const both = { ...scope, sinks: { other: { subtasks: 1, places: [] }, ...scope.sinks } };
    expect(isOwnKey(keyOf('x/y', stem, 0, 'csv.gz'), both)).toBe(true);
    for (const other of [
      stemOf({ ...place, job: 'my.jo' }),
      stemOf({ ...place, incarnation: '0b' }),
      stemOf({ ...place, sink: 'a-1' }),
      'somebody',
    ])
      expect(isOwnKey(keyOf('', other, 0, 'csv'), scope)).toBe(false);
  });
});

describe('files', () => {
  it('are cut of the rows of all upstream subtasks, by folder, and each as large as it may be', async () => {
    const encoder = encoderOf({ path: (row) => row.slice(0, 1), maxFileBytes: 1024 });
    const row = (name: string) => name + 'x'.repeat(500);
    const parts = [staged(encoder, [row('a1'), row('b1'), row('a2'), row('a3')]), staged(encoder, [row('a4'), row('a5')])].map((payload) =>
      decodeStagedFiles(payload, 'blob'),
    );
    const files = cutFiles(parts, 'stem');
    expect(files.map(({ key, rows }) => [key, rows])).toEqual([
      ['a/stem-0.jsonl', 3],
      ['a/stem-1.jsonl', 2],
      ['b/stem-2.jsonl', 1],
    ]);
    const texts = await Promise.all(
      files.map(async (file) =>
        Buffer.from(await bytesOf(file, undefined))
          .toString()
          .trimEnd()
          .split('\n'),
      ),
    );
    expect(texts.map((lines) => lines.map((line) => (JSON.parse(line) as string).slice(0, 2)))).toEqual([
      ['a1', 'a2', 'a3'],
      ['a4', 'a5'],
      ['b1'],
    ]);
    expect(cutFiles(parts, 'stem')).toEqual(files);
  });

  it('begin with what their format has at the head of each', async () => {
    const format = csv<string>({ columns: [{ name: 'row', value: (row) => row }] });
    const parts = [decodeStagedFiles(staged(encoderOf({ format, maxFileBytes: 1024 }), ['x'.repeat(1_100), 'y'.repeat(1_100)]), 'blob')];
    const texts = await Promise.all(cutFiles(parts, 'stem').map(async (file) => Buffer.from(await bytesOf(file, undefined)).toString()));
    expect(texts.map((text) => text.split('\r\n').map((line) => line.slice(0, 3)))).toEqual([
      ['row', 'xxx', ''],
      ['row', 'yyy', ''],
    ]);
  });

  it('of an epoch without rows there are none, also behind one that had some', () => {
    const encoder = encoderOf();
    expect(staged(encoder, ['row']).length).toBeGreaterThan(0);
    encoder.begin();
    expect(encoder.records).toBe(0);
    expect(encoder.finish()).toBeUndefined();
  });

  it('are compressed one by one', async () => {
    const [file] = cutFiles([decodeStagedFiles(staged(encoderOf({ compression: 'gzip' }), ['row']), 'blob')], 'stem');
    if (file === undefined) throw new Error('no file');
    expect(file.key).toBe('stem-0.jsonl.gz');
    expect(gunzipSync(await bytesOf(file, undefined)).toString()).toBe('"row"\n');
  });

  it('of a blob that is damaged there are none', () => {
    const payload = staged(encoderOf(), ['row', 'another']);
    const { codec } = decodeStagedFiles(payload, 'blob');
    for (const [damaged, what] of [
      [payload.subarray(0, 3), 'its index is cut off'],
      [payload.subarray(0, 20), 'its index is cut off'],
      [payload.subarray(0, payload.length - 1), 'is cut off'],
      [Buffer.concat([payload, Buffer.from('x')]), 'it holds more than its index names'],
      [Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.from('{}')]), 'its index is none: codec'],
      [Buffer.concat(encodeStagedFiles({ ...codec, assembly: { about: {} } as never }, [])), 'its index is none: codec.assembly.format'],
    ] as const)
      expect(() => decodeStagedFiles(damaged, 'blob')).toThrow(what);
  });
});

describe('rows, as a replay compares them', () => {
  const rowsOf = (payload: Buffer) => filesKind.rows({} as never, payload, 'blob').map(({ place, value }) => [place, value]);

  it('are the lines of each folder, without their ends', () => {
    const encoder = encoderOf({ path: (row) => row.slice(0, 1) });
    expect(rowsOf(staged(encoder, ['a1', 'b1', 'a2']))).toEqual([
      ['a', '"a1"'],
      ['a', '"a2"'],
      ['b', '"b1"'],
    ]);
  });

  it('are what is behind the last line too, and nothing of a folder without rows', () => {
    const section = (folder: string, content: string, rows: number) => ({ folder, content: Buffer.from(content), rows });
    const { codec } = decodeStagedFiles(staged(encoderOf(), ['x']), 'blob');
    const payload = Buffer.concat(encodeStagedFiles(codec, [section('a', 'head\n', 0), section('b', 'one\ntwo', 2)]));
    expect(rowsOf(payload)).toEqual([
      ['b', 'one'],
      ['b', 'two'],
    ]);
  });
});

it('staged output of which the index lacks what a file is made of is damaged', () => {
  const { codec, sections } = decodeStagedFiles(staged(encoderOf(), ['x']), 'blob');
  for (const part of ['head', 'compression', 'extension', 'contentType', 'maxFileBytes'] as const) {
    const payload = Buffer.concat(encodeStagedFiles({ ...codec, [part]: undefined } as unknown as typeof codec, sections));
    expect(() => decodeStagedFiles(payload, 'blob')).toThrow(new RegExp(`its index is none: codec\\.${part}`));
  }
});
