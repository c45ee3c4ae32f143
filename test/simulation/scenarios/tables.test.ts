import { describe, expect, it } from 'vitest';
import { defineJob, kafkaSink, kafkaSource, type TableChange, utf8 } from '../../../lib/api/index.ts';
import { readCommitted } from '../checker/reader.ts';
import { INPUT, JOB, LATER_INPUT, type SimJob } from '../sim-job.ts';
import type { World } from '../world.ts';
import type { InputBatch } from '../world-options.ts';
import { at, ends, failedAttempts, plain, type Rule, story } from './story.ts';

/** Lines are `word what`, or `word time what`. */
const wordOf = (line: string) => line.split(' ')[0] ?? '';
const lastOf = (line: string) => line.split(' ').at(-1) ?? '';
const later = (batch: InputBatch): InputBatch => ({ ...batch, topic: LATER_INPUT });

/** Two tables of lines as one: `gone` deletes. */
const profiles: SimJob = {
  name: 'profiles',
  define: (_build, startingOffsets) =>
    defineJob(JOB, (job) => {
      const table = (uid: string, topic: string) =>
        job.source(uid, kafkaSource({ topic, value: utf8, startingOffsets })).keyBy(wordOf, utf8, { value: utf8 });
      const isGone = (line: string) => lastOf(line) === 'gone';
      table('read', INPUT)
        .joinTables('profile', table('read-later', LATER_INPUT), {
          isLeftDeleted: isGone,
          isRightDeleted: isGone,
          join: (one, other) => `${lastOf(one)} ${lastOf(other)}`,
        })
        .sink('write', kafkaSink({ topic: 'output', key: utf8, value: utf8, toRecord: (change: TableChange<string, string>) => change }));
    }),
};

/** Each line with the version that held at its time; what is late aside. */
const rates: SimJob = {
  name: 'rates',
  define: (_build, startingOffsets) =>
    defineJob(JOB, (job) => {
      const eventTime = { timestamp: (line: string) => Number(line.split(' ')[1]), maxOutOfOrdernessMs: 0, idleAfterMs: 3_000 };
      const timed = (uid: string, topic: string) =>
        job.source(uid, kafkaSource({ topic, value: utf8, startingOffsets, eventTime })).keyBy(wordOf, utf8, { value: utf8 });
      const made = timed('read', INPUT).asOfJoin('version', timed('read-later', LATER_INPUT), {
        type: 'left',
        join: (line, version) => `${line} by ${version === undefined ? 'none' : lastOf(version)}`,
      });
      made.sink('write', kafkaSink({ topic: 'output', value: utf8 }));
      made.late.map((line) => `late ${line}`).sink('write-late', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};

/** What a reader has in the end, in order; a tombstone has an empty value. */
async function written(job: SimJob, rules: readonly Rule[], input: readonly InputBatch[], parallelism = 1) {
  let world: World | undefined;
  const operator = job === profiles ? 'profile' : 'version';
  const told = await story(rules, {
    job,
    inputPartitions: 1,
    input,
    parallelism: (coordinator) => ({
      read: 1,
      'read-later': 1,
      [operator]: coordinator === 1 ? 1 : parallelism,
      write: 1,
      'write-late': 1,
    }),
    prepare: (made) => {
      world = made;
    },
  });
  expect(ends(told)).toContain('stopped');
  const [log] = world?.broker.topics.get('output') ?? [];
  return { told, records: log === undefined ? [] : readCommitted(log, 0, log.end) };
}

describe("a table's tombstone", () => {
  const input = [
    plain(0, 0, 'ant left1'),
    later(plain(0, 0, 'ant right1')),
    plain(1_500, 0, 'ant gone'),
    // Nothing is there to be taken away.
    plain(3_000, 0, 'ant gone'),
    later(plain(4_500, 0, 'ant right2')),
    plain(6_000, 0, 'ant left2'),
  ];
  const values = async (rules: readonly Rule[], parallelism?: number) =>
    (await written(profiles, rules, input, parallelism)).records.map(({ value }) => value);

  it('takes away what was there, and is not repeated', async () => {
    expect(await values([])).toEqual(['left1 right1', '', 'left2 right2']);
  });

  it.each([
    ['before', 1],
    ['after', 1],
    ['before', 3],
    ['after', 3],
  ] as const)('is written once when the coordinator dies %s any of the decisions, and %i subtasks go on', async (when, parallelism) => {
    for (const nth of [1, 2, 3, 4, 5])
      expect(await values([{ at: at('decide', { nth }), fault: { fault: 'crash', when } }], parallelism)).toEqual([
        'left1 right1',
        '',
        'left2 right2',
      ]);
  });

  it('is written once when the answer of the stage that made it is lost', async () => {
    const { told, records } = await written(
      profiles,
      [{ at: at('invoke process', { nth: 2 }), fault: { fault: 'lose', what: 'answer' } }],
      input,
    );
    expect(failedAttempts(told)).toBeGreaterThan(0);
    expect(records.map(({ value }) => value)).toEqual(['left1 right1', '', 'left2 right2']);
  });
});

describe('a version that is late', () => {
  const input = [
    later(plain(0, 0, 'ant 1000 one')),
    plain(0, 0, 'ant 1500 row1'),
    // Both watermarks pass 3000.
    later(plain(2_000, 0, 'ant 3000 three')),
    plain(2_000, 0, 'ant 3500 row2'),
    // It is older than what was given; the next is in time.
    later(plain(4_000, 0, 'ant 2000 two', 'ant 4000 four')),
    plain(4_000, 0, 'ant 4500 row3'),
    later(plain(6_000, 0, 'end 9000 end')),
    plain(6_000, 0, 'end 9000 end'),
  ];
  const texts = async (rules: readonly Rule[], parallelism?: number) =>
    (await written(rates, rules, input, parallelism)).records.map(({ value }) => value ?? '').toSorted();
  const all = ['ant 1500 row1 by one', 'ant 3500 row2 by three', 'ant 4500 row3 by four', 'late ant 2000 two'];

  it('changes no row, is given aside, and holds for none that comes later', async () => {
    expect(await texts([])).toEqual(all);
  });

  it.each([
    ['before', 1],
    ['after', 1],
    ['before', 3],
  ] as const)('stays so when the coordinator dies %s any of the decisions, and %i subtasks go on', async (when, parallelism) => {
    for (const nth of [2, 3, 4])
      expect(await texts([{ at: at('decide', { nth }), fault: { fault: 'crash', when } }], parallelism)).toEqual(all);
  });
});
