import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { JobDefinition } from '../../../lib/api/index.ts';
import { type TestJob, testJob } from '../../../lib/testing/index.ts';
import { Dice } from '../../simulation/kernel/dice.ts';
import { resultsOf } from '../../support/nexmark/check.ts';
import { DISORDER_MS, nexmarkEvents, PARTITIONS } from '../../support/nexmark/events.ts';
import { canonical, QUERIES, sideTable } from '../../support/nexmark/queries.ts';
import { type GivenEpoch, ran } from '../operators/running-job.ts';
import { troubled } from '../testing/troubled.ts';

/** These know from event time, or from the clock, when they are done with a key. */
const FORGETFUL = ['q5', 'q7', 'q8', 'q9', 'q11', 'q12'];
const SEEDS = [1, 2, 3];
const EVENTS = 600;
const EVENTS_WITH_CRASHES = 200;
const MOST_EVENTS_OF_EPOCH = 60;
/** Behind all events, and a day before they would be too far ahead of it. */
const START = Date.UTC(2026, 0, 1);
/** By then every window of processing time is over, and a partition without records is idle. */
const PAUSE_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'onceflow-nexmark-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'side.jsonl'), sideTable());
vi.stubEnv('DISORDER_MS', String(DISORDER_MS));
vi.stubEnv('SIDE', join(folder, 'side.jsonl'));

async function jobOf(query: string): Promise<JobDefinition> {
  const { default: job } = (await import(`../../../jobs/nexmark/${query}.ts`)) as { default: JobDefinition };
  return job;
}

/** The lines in epochs of any length, and two in which only time goes on. A partition more than there are is always empty. */
function epochsOf(lines: readonly string[], dice: Dice): GivenEpoch[] {
  const epochs: GivenEpoch[] = [];
  let processingMs = START;
  const add = (from: number, to: number) => {
    const partitions = Array.from({ length: PARTITIONS + 1 }, (_, partition) =>
      lines.slice(from, to).filter((_, index) => (from + index) % PARTITIONS === partition),
    );
    epochs.push({ lines: partitions, processingMs });
  };
  for (let from = 0; from < lines.length; ) {
    const to = from + dice.whole(1, MOST_EVENTS_OF_EPOCH);
    add(from, to);
    // The empty partition is idle after the first.
    processingMs += from === 0 ? PAUSE_MS : dice.pick([1, 4_000, PAUSE_MS]);
    from = to;
  }
  for (const _ of ['idle', 'over']) {
    processingMs += PAUSE_MS;
    add(lines.length, lines.length);
  }
  return epochs;
}

/** `testJob` gives the rows of files, and not where they are. */
function withoutFolder(result: object): object {
  return Object.fromEntries(Object.entries(result).filter(([name]) => name !== 'folder'));
}

describe('the Nexmark jobs', () => {
  it('are those that there are naive queries for', () => {
    const jobs = readdirSync('jobs/nexmark').flatMap((file) => /^(q\d+)\.ts$/.exec(file)?.[1] ?? []);
    expect(jobs.toSorted()).toEqual([...QUERIES.keys()].toSorted());
  });

  it('are asked what has one answer: of one time no two bids are equal in what decides between them', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { bids } = nexmarkEvents(seed, EVENTS);
      expect(new Set(bids.map(({ dateTime, extra }) => `${dateTime} ${extra}`)).size, `seed ${seed}`).toBe(bids.length);
    }
  });

  it.each(['q18', 'q19'])('rank the same way bids that are equal in what decides, whichever came first: %s', async (name) => {
    const bid = { type: 'bid', auction: 1, bidder: 2, price: 3, url: 'u', dateTime: START, extra: 'e' };
    const [one, other] = ['a', 'b'].map((channel) => ({ ...bid, channel }));
    const lastOf = async (...bids: readonly unknown[]) => {
      const test = testJob(await jobOf(name), { startMs: START });
      test.push('read-events', ...bids);
      await test.runUntilIdle();
      return Object.values(Object.fromEntries(test.output('write-results').map(({ key, value }) => [JSON.stringify(key), value])));
    };
    expect(await lastOf(one, other)).toEqual(await lastOf(other, one));
  });

  describe.each([...QUERIES])('%s', (name, query) => {
    it.each([1, 3])(
      'yields in %i subtasks what the naive query does, wherever epochs end and whatever comes late, and restored before each epoch',
      async (parallelism) => {
        const job = await jobOf(name);
        for (const seed of SEEDS) {
          const events = nexmarkEvents(seed, EVENTS);
          const expected = query.results(events).map(canonical).toSorted();
          expect(expected.length, 'a test without results shows nothing').toBeGreaterThan(1);
          const { written, keys } = ran(job, epochsOf(events.lines, new Dice(seed)), parallelism);
          expect(resultsOf(written, query)).toEqual(expected);
          if (FORGETFUL.includes(name)) expect(keys, 'keys with state when all is over').toBe(0);
        }
      },
    );

    it('yields the same when epochs are lost in crashes before any stage and before the decision, and begun again by fewer or more subtasks', async () => {
      const events = nexmarkEvents(SEEDS.length + 1, EVENTS_WITH_CRASHES);
      const input = events.lines.map((line, index) => ({
        to: 'read-events',
        record: { value: JSON.parse(line) as unknown, partition: index % PARTITIONS },
      }));
      const expected = query.results(events).map(withoutFolder).map(canonical).toSorted();
      expect(expected.length, 'a test without results shows nothing').toBeGreaterThan(0);
      const end = (test: TestJob) => test.advanceProcessingTime({ byMs: PAUSE_MS });
      const test = await troubled(
        { job: await jobOf(name), input, partitions: { nexmark: PARTITIONS }, startMs: START, end },
        SEEDS.length + 1,
      );
      const written = test.output('write-results').map(({ partition, key, value }) => ({
        partition,
        key: key === undefined ? null : JSON.stringify(key),
        value: JSON.stringify(value),
      }));
      expect(resultsOf(written, query)).toEqual(expected);
    });
  });
});
