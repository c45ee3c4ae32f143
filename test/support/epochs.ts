import { createDynamoDbClient } from '../../lib/aws/clients.ts';
import { createEpochStore } from '../../lib/aws/dynamo-epoch-store.ts';
import { createTable } from '../../lib/aws/dynamo-table.ts';
import type { EpochStore, JobRow } from '../../lib/ports/epoch-store.ts';
import type { Manifest } from '../../lib/protocol/manifest.ts';

/** One table for the jobs of all tests: their names differ. */
export const TEST_TABLE = 'onceflow-tests';

let created: Promise<void> | undefined;

export function createTestTable(): Promise<void> {
  created ??= createTable(createDynamoDbClient(), TEST_TABLE);
  return created;
}

export function testEpochs(): EpochStore {
  return createEpochStore({ client: createDynamoDbClient(), table: TEST_TABLE });
}

/** The job's row, which must be there. */
export async function jobRow(job: string): Promise<JobRow> {
  const row = await testEpochs().readJob(job);
  if (row === undefined) throw new Error(`there is no row of job ${job}`);
  return row;
}

/** The manifest of an epoch, the last completed one by default. */
export async function manifestOf(job: string, epoch?: number): Promise<Manifest> {
  const row = await jobRow(job);
  const wanted = epoch ?? row.lastCompleted?.epoch ?? -1;
  const found = await testEpochs().readEpoch(job, row.incarnation, wanted);
  if (found?.manifest.at !== 'row') throw new Error(`epoch ${wanted} of job ${job} has no manifest in its row`);
  return found.manifest.manifest;
}
