import { describe, expect, it } from 'vitest';
import { jobRow, testEpochs } from '../../support/epochs.ts';
import { type Fault, planFault } from '../../support/faults.ts';
import { listTransactions } from '../../support/transactions.ts';
import { newWordCount } from '../../support/word-count-run.ts';

/** The epoch in which everything is killed, and the transactions of an epoch: one for each sink subtask. */
const EPOCH = 3;
const SUBTASKS = 2;
const earlierCommits = (EPOCH - 1) * SUBTASKS;
/** Epoch 0, the starting offsets, is decided too. */
const decision = EPOCH + 1;

interface Boundary {
  readonly name: string;
  readonly fault: Pick<Fault, 'role' | 'request' | 'when' | 'nth'>;
  /** What must be durable then, to show that the kill came exactly there. */
  readonly durable: { readonly lastCompleted: number; readonly openTransactions: readonly number[] };
  /** The last epoch whose output a read_committed reader sees all of, and nothing of later ones; undefined: some of epoch `EPOCH`. */
  readonly visible: number | undefined;
}

const boundaries: readonly Boundary[] = [
  {
    name: 'while the transactions are prepared',
    fault: { role: 'sink', request: 'Produce', when: 'answered', nth: earlierCommits + 1 },
    durable: { lastCompleted: EPOCH - 1, openTransactions: [1, SUBTASKS] },
    visible: EPOCH - 1,
  },
  {
    name: 'before the decision, the transactions prepared',
    fault: { role: 'coordinator', request: 'DynamoDB.TransactWriteItems', when: 'before', nth: decision },
    durable: { lastCompleted: EPOCH - 1, openTransactions: [SUBTASKS] },
    visible: EPOCH - 1,
  },
  {
    name: 'during the decision: written, but not answered',
    fault: { role: 'coordinator', request: 'DynamoDB.TransactWriteItems', when: 'answered', nth: decision },
    durable: { lastCompleted: EPOCH, openTransactions: [SUBTASKS] },
    visible: EPOCH - 1,
  },
  {
    name: 'after the decision, before any commit',
    fault: { role: 'sink', request: 'EndTxn', when: 'before', nth: earlierCommits + 1 },
    durable: { lastCompleted: EPOCH, openTransactions: [SUBTASKS] },
    visible: EPOCH - 1,
  },
  {
    name: 'after one of two commits',
    fault: { role: 'sink', request: 'EndTxn', when: 'before', nth: earlierCommits + 2 },
    durable: { lastCompleted: EPOCH, openTransactions: [1] },
    visible: undefined,
  },
  {
    name: 'after the commits, before they are recorded',
    fault: { role: 'sink', request: 'EndTxn', when: 'answered', nth: earlierCommits + 2 },
    durable: { lastCompleted: EPOCH, openTransactions: [0] },
    visible: EPOCH,
  },
];

describe('kill -9 of everything', () => {
  it.each(boundaries)('$name, is recovered exactly', async ({ fault, durable, visible }) => {
    const count = await newWordCount({ env: { ONCEFLOW_STAGE_PARALLELISM: `count-words=${SUBTASKS},write-counts=${SUBTASKS}` } });
    const planned = planFault({ ...fault, does: 'kill-all' });
    const feed = count.feed();
    const first = count.job.start(planned.env, 'each');
    expect((await first.ended).end).toBe('killed');
    await planned.happened();
    expect(await jobRow(count.job.name)).toMatchObject({
      lastCompleted: { epoch: durable.lastCompleted },
      lastCommitted: durable.lastCompleted - 1,
    });
    expect(durable.openTransactions).toContain((await ongoing(count.job.name)).length);

    if (visible !== undefined) {
      const records = await recordsThrough(count.job.name, visible);
      await count.reader.readUntil((reader) => reader.records.length >= records);
      expect(count.reader.records.length).toBe(records);
    }

    const second = count.job.start();
    await second.event('recovered');
    await feed.stop();
    await count.expectExact(second);
  });
});

/** How many records all decided epochs up to `last` have written. */
async function recordsThrough(job: string, last: number): Promise<number> {
  const { incarnation } = await jobRow(job);
  const epochs = await testEpochs().listEpochs(job, incarnation, -1);
  return epochs.filter(({ epoch }) => epoch <= last).reduce((sum, { summary }) => sum + summary.recordsOut, 0);
}

async function ongoing(job: string): Promise<string[]> {
  return (await listTransactions(job)).filter(({ state }) => state === 'Ongoing').map(({ transactionalId }) => transactionalId);
}
