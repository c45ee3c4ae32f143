import { expect, it } from 'vitest';
import type { CoordinatorDeps, JobSettings, Tenure } from '../../../lib/epoch/coordinator/context.ts';
import { createOpenWatch } from '../../../lib/epoch/coordinator/watch-open.ts';

const tenure = { generation: 1, incarnation: 'i', sinkTopics: {}, pool: { write: 1 }, writtenTopics: { write: ['out'] } } satisfies Tenure;

/** Looks in which the given transactions are open, by producer id and first offset; 7 and 8 are the job's. */
async function looks(...open: readonly (readonly (readonly [producerId: string, since: number])[])[]) {
  let now = open[0] ?? [];
  const kafka = {
    leaders: async () => [1],
    describeProducers: async () => ({
      answer: 'NONE',
      producers: now.map(([producerId, openSince]) => ({ partition: 0, producerId, producerEpoch: 0, openSince })),
    }),
    describeTransactions: async (ids: readonly string[]) =>
      ids.map((transactionalId, index) => ({ transactionalId, producerId: String(7 + index) })),
  };
  const clock = { elapsedMs: () => 0, now: () => 0, sleep: async () => {} };
  const watch = createOpenWatch({ kafka, clock } as unknown as CoordinatorDeps, { job: 'job' } as JobSettings, tenure);
  for (now of open) await watch.look();
  return watch;
}

it('what is open under an id of the job in two looks, one after the other, was left open', async () => {
  expect((await looks([['8', 3]], [['8', 3]])).foundAny()).toBe(true);
});

it('what one look shows is an epoch under way, and so is another transaction of the same id in the next', async () => {
  expect((await looks([['8', 3]])).foundAny()).toBe(false);
  expect((await looks([['8', 3]], [['8', 4]])).foundAny()).toBe(false);
  expect((await looks([['8', 3]], [], [['8', 3]])).foundAny()).toBe(false);
});

it("what other producers leave open is theirs, also beside the job's own", async () => {
  expect((await looks([['9', 3]], [['9', 3]])).foundAny()).toBe(false);
  expect(
    (
      await looks(
        [['9', 3]],
        [
          ['9', 3],
          ['8', 5],
        ],
      )
    ).foundAny(),
  ).toBe(false);
});

it('when the ids are settled, it is looked for anew', async () => {
  const watch = await looks([['8', 3]], [['8', 3]]);
  watch.settled();
  expect(watch.foundAny()).toBe(false);
  await watch.look();
  expect(watch.foundAny()).toBe(true);
});
