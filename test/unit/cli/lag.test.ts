import { expect, it } from 'vitest';
import type { CommandResult } from '../../../cli/command.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import { KafkaProblem } from '../../../lib/ports/kafka-requests.ts';
import { epochRowOf, jobRowOf } from './rows.ts';
import { runCommand } from './run-command.ts';

/** Of two partitions the second has a transaction open. */
const brokers = {
  partitionCount: async () => 2,
  offsets: async (_topic: string, _partitions: readonly number[], at: string) => (at === 'end' ? [15, 60] : [15, 20]),
};

function lag(row: JobRow | undefined, kafka: () => Promise<unknown> = async () => brokers): Promise<CommandResult> {
  const epochs = { readJob: async () => row, readEpoch: async () => epochRowOf(9) };
  return runCommand(['lag'], { config: { table: 'onceflow' }, epochs, kafka });
}

it('the lag is told of each partition, with position, last stable offset and high watermark', async () => {
  expect((await lag(jobRowOf())).text).toBe(
    [
      'source  topic  partition  position  last stable  high watermark  lag  held up',
      'read    lines          0        10           15              15    5',
      'read    lines          1        20           20              60    0       40',
      '',
      '5 offsets behind in 2 partitions, as of epoch 9; 40 more are held up by an open transaction',
    ].join('\n'),
  );
});

it('the lag for scripts has the sum and every partition', async () => {
  expect(await lag(jobRowOf())).toMatchObject({
    code: 0,
    json: { job: 'word-count', epoch: 9, records: 5, heldUp: 40, partitions: [{ at: 10 }, { at: 20, end: 20, highWatermark: 60 }] },
  });
});

it('a job that has completed no epoch has no position, and no broker is asked', async () => {
  const unasked = () => Promise.reject(new Error('nobody asks'));
  expect(await lag(jobRowOf({ lastCompleted: undefined }), unasked)).toMatchObject({ code: 0, json: { epoch: null, partitions: [] } });
});

it('a lag that cannot be asked for fails the command, which status does not', async () => {
  await expect(lag(jobRowOf(), () => Promise.reject(new KafkaProblem('NO_ANSWER', 'down', true)))).rejects.toThrow('down');
});

it('there is no lag of a job that is not there: exit code 3', async () => {
  expect(await lag(undefined)).toMatchObject({ code: 3 });
});
