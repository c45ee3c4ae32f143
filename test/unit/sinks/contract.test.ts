import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../../../host/system.ts';
import { csv, dynamoSink, fileSink, jsonLines, type Sink, writeAheadSink } from '../../../lib/api/index.ts';
import type { KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import type { SinkTargets } from '../../../lib/ports/sink-targets.ts';
import type { SinkSpec } from '../../../lib/sinks/kinds.ts';
import { createFolderUploads } from '../../../lib/storage/folder-uploads.ts';
import type { BenchOptions } from '../../../lib/testing/drill/sink-bench.ts';
import { sinkContract } from '../../contracts/sink.ts';
import { MemoryItems } from '../../support/memory-items.ts';
import { UploadPlace, uploadStoreOn } from '../../support/upload-place.ts';

interface Row {
  readonly n: number;
}

type Made = Pick<BenchOptions, 'read'> & { readonly sink: Sink<Row>; readonly targets?: Partial<SinkTargets>; readonly repeats?: boolean };

function optionsOf({ sink, targets, read, repeats = false }: Made): BenchOptions {
  return {
    spec: sink as SinkSpec,
    row: (n): Row => ({ n }),
    shown: (n) => `row ${n}`,
    read,
    kafka: {} as KafkaRequests,
    targets: targets as SinkTargets,
    clock,
    random,
    repeats,
  };
}

const shown = (text: string) => `row ${(JSON.parse(text) as Row).n}`;

describe('a function that is idempotent by the place of its batch', () => {
  sinkContract('delivered', async () => {
    const taken = new Map<string, readonly Row[]>();
    const sink = writeAheadSink<Row>({
      maxBatchRows: 2,
      async deliver(rows, { id }) {
        if (!taken.has(id)) taken.set(id, rows);
      },
    });
    return optionsOf({ sink, read: async () => [...taken.values()].flat().map(({ n }) => `row ${n}`) });
  });
});

describe('a function that keeps with its rows how far it has come', () => {
  sinkContract('delivered', async () => {
    const rowsIn: Row[] = [];
    const ledger = new Map<string, { readonly epoch: number; readonly batches: number }>();
    const stateOf = (key: string) => ledger.get(key) ?? { epoch: -1, batches: 0 };
    const sink = writeAheadSink<Row>({
      maxBatchRows: 2,
      deliver(rows, { incarnation, epoch, batch }) {
        const state = stateOf(incarnation);
        const isNext = batch === 0 ? epoch > state.epoch : epoch === state.epoch && batch === state.batches;
        if (!isNext) return;
        ledger.set(incarnation, { epoch, batches: batch + 1 });
        rowsIn.push(...rows);
      },
      delivered({ incarnation, epoch }) {
        const state = stateOf(incarnation);
        return state.epoch === epoch ? state.batches : 0;
      },
    });
    return optionsOf({ sink, read: async () => rowsIn.map(({ n }) => `row ${n}`) });
  });
});

describe('a function that cannot tell', () => {
  sinkContract('delivered', async () => {
    const taken: Row[] = [];
    const sink = writeAheadSink<Row>({ maxBatchRows: 2, deliver: (rows) => void taken.push(...rows) });
    return optionsOf({ sink, read: async () => taken.map(({ n }) => `row ${n}`), repeats: true });
  });
});

describe('files in memory, a few to an epoch', () => {
  sinkContract('prepared', async () => {
    const place = new UploadPlace();
    const sink = fileSink<Row>({
      location: 's3://bucket/prefix',
      format: jsonLines<Row>(),
      path: ({ n }) => `n=${n % 3}`,
      manifests: true,
    });
    const texts = () => [...place.files].filter(([key]) => !key.startsWith('_manifests/')).map(([, content]) => content.toString());
    const read = async () =>
      texts()
        .flatMap((text) => text.trimEnd().split('\n'))
        .map(shown);
    return optionsOf({ sink, targets: { uploads: async () => uploadStoreOn(place) }, read });
  });
});

describe('files in a folder', () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  sinkContract('prepared', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onceflow-files-'));
    folders.push(folder);
    const sink = fileSink<Row>({ location: `file://${folder}`, format: csv<Row>({ columns: ['n'], header: false }) });
    const read = async () => {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.csv'));
      const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
      return texts.flatMap((text) => text.trimEnd().split('\r\n')).map((line) => `row ${line}`);
    };
    return optionsOf({ sink, targets: { uploads: async () => createFolderUploads({ folder }) }, read });
  });
});

describe('items in memory', () => {
  sinkContract('delivered', async () => {
    const items = new MemoryItems({ partition: { name: 'pk', type: 'S' } });
    const sink = dynamoSink<Row>({ table: 'rows', toWrite: ({ n }) => ({ put: { pk: `row ${n}`, n } }) });
    const read = async () => [...(items.tables.get('rows')?.values() ?? [])].map((item) => (item['pk'] as { readonly S: string }).S);
    return optionsOf({ sink, targets: { items: async () => items }, read });
  });
});
