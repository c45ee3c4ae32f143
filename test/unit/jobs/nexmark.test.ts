import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JobDefinition } from '../../../lib/api/index.ts';
import { createOperatorRuntime } from '../../../lib/operators/operator-runtime.ts';
import { createSourceRuntime } from '../../../lib/operators/source-runtime.ts';
import { resultsOf, type Written } from '../../support/nexmark/check.ts';
import { nexmarkEvents } from '../../support/nexmark/events.ts';
import { canonical, QUERIES } from '../../support/nexmark/queries.ts';
import { compiled, partsTo, recordSet, stageContext, stagedRecords, throughBlob } from '../operators/runtimes.ts';

const SEEDS = [1, 2, 3];
const EVENTS = 600;
const EPOCH_EVENTS = 97;

async function jobOf(query: string): Promise<JobDefinition> {
  const { default: job } = (await import(`../../../jobs/nexmark/${query}.ts`)) as { default: JobDefinition };
  return job;
}

/** The job over these lines in several epochs, of which each but the first begins with what is in the snapshots before it. */
function written(job: JobDefinition, lines: readonly string[], parallelism: number): Written[] {
  const result: Written[] = [];
  const { plan } = compiled(job);
  const operator = plan.stages.find(({ kind }) => kind === 'operator')?.id;
  const context = stageContext({ parallelism });
  const subtasks = Array.from({ length: parallelism }, (_, subtask) => subtask);
  let snapshots: Buffer[] = [];
  const keep = (output: Parameters<typeof stagedRecords>[0]) => {
    for (const [partition, records] of stagedRecords(output, 'write-results'))
      result.push(...records.map(({ key, value }) => ({ partition, key, value })));
  };
  for (let from = 0; from < lines.length; from += EPOCH_EVENTS) {
    const ofEpoch = lines.slice(from, from + EPOCH_EVENTS);
    const exchanged = subtasks.map((subtask) => {
      const source = createSourceRuntime(compiled(job), 'read-events', context);
      source.begin();
      const mine = ofEpoch.filter((_, index) => index % parallelism === subtask).map((value) => ({ value }));
      source.consume('nexmark', subtask, recordSet(mine), { from: 0, to: mine.length, aborted: [] });
      const output = source.finish();
      if (operator === undefined) keep(output);
      return operator === undefined ? [] : partsTo(output, operator).map((parts) => parts && throughBlob(parts));
    });
    if (operator === undefined) continue;
    const taken = subtasks.map((subtask) => {
      const runtime = createOperatorRuntime(compiled(job), operator, context, subtask);
      const [state] = runtime.states.values();
      if (state === undefined) throw new Error(`${operator} has no state`);
      state.load(snapshots);
      runtime.begin();
      for (const parts of exchanged) if (parts[subtask] !== undefined) runtime.consume(parts[subtask]);
      keep(runtime.finish());
      return Buffer.concat(state.takeBase());
    });
    snapshots = taken;
  }
  return result;
}

describe('the Nexmark jobs', () => {
  it('are those that there are naive queries for', () => {
    const jobs = readdirSync('jobs/nexmark').flatMap((file) => /^(q\d+)\.ts$/.exec(file)?.[1] ?? []);
    expect(jobs.toSorted()).toEqual([...QUERIES.keys()].toSorted());
  });

  describe.each([...QUERIES])('%s', (name, query) => {
    it.each([1, 3])(
      'yields in %i subtasks what the naive query does, whatever comes late, and restored before each epoch',
      async (parallelism) => {
        const job = await jobOf(name);
        for (const seed of SEEDS) {
          const events = nexmarkEvents(seed, EVENTS);
          const expected = query.results(events).map(canonical).toSorted();
          expect(expected.length, 'a test without results shows nothing').toBeGreaterThan(1);
          expect(resultsOf(written(job, events.lines, parallelism), query)).toEqual(expected);
        }
      },
    );
  });
});
