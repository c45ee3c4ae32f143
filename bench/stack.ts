import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDynamoDbClient, createS3Client } from '../lib/aws/clients.ts';
import { createTable } from '../lib/aws/dynamo-table.ts';
import { createBucket } from '../lib/aws/s3-blob-store.ts';
import { EMULATOR_REGION, startEmulator } from '../local/stack/emulator.ts';
import { openKeeper } from '../local/stack/kept-process.ts';

/** Runs the emulator with a table and a bucket in it until it is told to end, and says in `<dir>/stack.json` where. */
const [dir = ''] = process.argv.slice(2);
const keeper = await openKeeper();
const emulator = await startEmulator(keeper);
const client = { endpoint: emulator.endpoint, region: EMULATOR_REGION, credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } };
await Promise.all([createTable(createDynamoDbClient(client), 'onceflow'), createBucket(createS3Client(client), 'onceflow-bench')]);
writeFileSync(join(dir, 'stack.json.new'), JSON.stringify({ owner: process.pid, emulator: emulator.pid(), endpoint: emulator.endpoint }));
renameSync(join(dir, 'stack.json.new'), join(dir, 'stack.json'));
const end = () => void keeper.close().then(() => process.exit(0));
process.on('SIGTERM', end);
process.on('SIGINT', end);
