/** `opener.ts <file> <job>`: says that it is ready; told to go, makes the job in the file, which it opens for that, and tells the answer, or why there is none. */
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { openDatabase } from '../../../lib/sqlite/database.ts';
import { createSqliteEpochStore } from '../../../lib/sqlite/sqlite-epoch-store.ts';

const [file = '', job = ''] = process.argv.slice(2);
const store = createSqliteEpochStore({ database: openDatabase({ file }), where: file, nowMs: Date.now });
const row: JobRow = {
  job,
  incarnation: 'inc',
  generation: 1,
  holder: 'opener',
  leaseExpiresAtMs: 0,
  desired: 'running',
  lastCommitted: 0,
  retiredThrough: -1,
  pool: {},
  fingerprint: '',
  maxParallelism: 128,
};
process.send?.('ready');
process.once('message', async () => {
  const answer = await store.createJob(row).catch((error: Error) => error.message);
  process.send?.(answer, () => process.disconnect());
});
