import { expect, it } from 'vitest';
import type { CoordinatorDeps } from '../../../lib/epoch/coordinator/context.ts';
import { finishJob } from '../../../lib/epoch/coordinator/finish.ts';
import type { JobRow } from '../../../lib/ports/epoch-store.ts';
import type { Committable } from '../../../lib/protocol/committable.ts';
import type { Pool } from '../../../lib/protocol/pool.ts';
import type { PoolScope } from '../../../lib/sinks/connector.ts';
import { jobRow } from './job-row.ts';

const committables: Committable[] = [
  { sink: 'write', connector: 'some', subtask: 0, epoch: 9, token: { to: 'out' } },
  { sink: 'copy', connector: 'later', subtask: 0, epoch: 9, token: {} },
];

/** Brings a job to rest whose newest epoch has these committables. `commits`: what its commit was asked. */
async function finish(pool: Pool, change: Partial<JobRow> = {}) {
  const settled: PoolScope['sinks'][] = [];
  const asked: string[] = [];
  let reads = 0;
  const some = {
    how: 'prepared',
    connector: 'some',
    placesIn: ({ token }: Committable) => [String(token['to'])],
    commitTerms: async () => ({}),
    settle: async (_until: unknown, { sinks }: PoolScope) => {
      settled.push(sinks);
      return { outcome: 'settled', ends: 2 };
    },
  };
  const manifest = {
    ...{ version: 3, job: 'word-count', incarnation: 'inc', epoch: 9, decisionId: 'd9', parentDecisionId: 'd8' },
    ...{ offsets: {}, state: {}, outputs: {}, committables },
  };
  const row = jobRow({ pool, ...change });
  const deps = {
    sinks: { named: (name: string) => (name === 'some' ? some : { how: 'delivered', connector: name }) },
    epochs: {
      readJob: async () => row,
      async readEpoch() {
        reads++;
        return { epoch: 9, decisionId: 'd9', manifest: { at: 'row', manifest } };
      },
      recordCommitted: async (_job: string, _generation: number, epoch: number) => {
        asked.push(`record ${epoch}`);
        return 'written';
      },
    },
    invoker: {
      invoke: async (_target: unknown, { ask, stage }: { readonly ask: string; readonly stage: string }) => {
        asked.push(`${ask} ${stage}`);
        return ask === 'send' ? { outcome: 'sent' } : { outcome: 'committed', doubtful: [] };
      },
    },
    clock: { elapsedMs: () => 0, now: () => 0, sleep: async () => {} },
    random: { id: () => '', fraction: () => 0 },
    observe: () => {},
  } as unknown as CoordinatorDeps;
  const settings = { build: 'b', commitTimeoutMs: 9, epochTimeoutMs: 9, onMissingEvidence: 'stop' } as const;
  const finished = await finishJob(deps, settings, row, new AbortController().signal);
  return { finished, settled, asked: asked.sort(), reads };
}

const known: Pool = { some: { write: { subtasks: 2, places: ['out'] } } };

it('what is decided is committed and recorded, then what may be open is ended', async () => {
  const { finished, settled, asked } = await finish(known);
  expect(finished).toEqual({ committed: 9, republished: 0, settledIds: 2 });
  expect(asked).toEqual(['commit write', 'record 9', 'send copy']);
  expect(settled).toEqual([{ write: { subtasks: 2, places: ['out'] } }]);
});

it('what is committed is not committed again, nor read where the job row says what there is to end', async () => {
  const { finished, asked, reads } = await finish(known, { lastCommitted: 9 });
  expect(finished).toEqual({ committed: undefined, republished: 0, settledIds: 2 });
  expect([asked, reads]).toEqual([[], 0]);
});

it('where the job row does not say what was written to, the newest epoch does', async () => {
  const { settled, asked, reads } = await finish({ some: { write: { subtasks: 2, places: [] } } }, { lastCommitted: 9 });
  expect(settled).toEqual([{ write: { subtasks: 2, places: ['out'] } }]);
  expect([asked, reads]).toEqual([[], 1]);
});

it('a job that has decided nothing has nothing to commit', async () => {
  const { finished, reads } = await finish(known, { lastCompleted: undefined, lastCommitted: 0 });
  expect(finished).toEqual({ committed: undefined, republished: 0, settledIds: 2 });
  expect(reads).toBe(0);
});
