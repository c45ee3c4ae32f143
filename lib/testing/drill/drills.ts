import type { Committable } from '../../protocol/committable.ts';
import type { CrashPoint, Mishap } from './crashes.ts';
import { DrillFault, type SinkBench, type SinkProcess, type StagedRows } from './sink-bench.ts';

/** A history that every connector must come through. */
export interface Drill {
  /** A claim. */
  readonly name: string;
  readonly of: 'prepared' | 'delivered';
  run(bench: SinkBench): Promise<void>;
}

/** No work of a drill calls more often. */
const MOST_CALLS = 200;

/** Runs `history` once for each call of its work, before and behind it: until the work comes to its end. */
async function atEachCall(what: Mishap['what'], history: (mishap: Mishap) => Promise<boolean>): Promise<void> {
  for (const when of what === 'die' ? (['before', 'after'] as const) : (['before'] as const))
    for (let call = 1; ; call++) {
      if (!(await history({ call, when, what }))) break;
      if (call === MOST_CALLS) throw new Error(`it calls more than ${MOST_CALLS} times`);
    }
}

const at = ({ call, when }: CrashPoint) => `${when} call ${call}`;

export const drills: readonly Drill[] = [
  {
    name: 'what is staged and prepared is seen by nobody before it is decided, and all of it once it is committed',
    of: 'prepared',
    async run(bench) {
      const rows = await bench.stage();
      await bench.check('when it is staged');
      const prepared = await bench.well((process) => process.prepare(rows));
      await bench.check('when it is prepared');
      bench.decide(rows);
      await bench.well((process) => process.commit(rows, prepared));
      await bench.check('when it is committed');
      await settleAll(bench, 'in the end');
    },
  },
  {
    name: 'an attempt that dies at any call of its prepare shows nothing, and the next one is committed in its place',
    of: 'prepared',
    async run(bench) {
      await atEachCall('die', async (mishap) => {
        const lost = await bench.stage();
        const { life } = await bench.life((process) => process.prepare(lost), mishap);
        await bench.check(`an attempt died ${at(mishap)}`);
        const rows = await bench.stage(lost.epoch);
        const prepared = await bench.well((process) => process.prepare(rows));
        bench.decide(rows);
        await bench.well((process) => process.commit(rows, prepared));
        await bench.check(`the next attempt was committed, behind one that died ${at(mishap)}`);
        await settleAll(bench, `behind an attempt that died ${at(mishap)}`);
        return life === 'died';
      });
    },
  },
  {
    name: 'an attempt whose target fails at any call of its prepare shows nothing, and says that it failed',
    of: 'prepared',
    async run(bench) {
      await atEachCall('fail', async (mishap) => {
        const lost = await bench.stage();
        const { calls } = await bench.life((process) => process.prepare(lost).catch(() => undefined), mishap);
        await bench.check(`the target failed ${at(mishap)}`);
        await settleAll(bench, `the target failed ${at(mishap)}`);
        return calls >= mishap.call;
      });
    },
  },
  {
    name: 'what is prepared and never decided is ended by an abort, and by settling when the abort dies at any call',
    of: 'prepared',
    async run(bench) {
      await atEachCall('die', async (mishap) => {
        const rows = await bench.stage();
        const prepared = await bench.well((process) => process.prepare(rows));
        const { life } = await bench.life((process) => process.abort(prepared), mishap);
        await bench.check(`an abort that died ${at(mishap)}`);
        await settleAll(bench, `behind an abort that died ${at(mishap)}`);
        return life === 'died';
      });
    },
  },
  {
    name: 'what nobody ends is seen in two looks, and settling that dies at any call is gone on with',
    of: 'prepared',
    async run(bench) {
      await atEachCall('die', async (mishap) => {
        const rows = await bench.stage();
        await bench.well((process) => process.prepare(rows));
        if (!(await bench.well((process) => process.seesLeftOpen()))) throw new DrillFault('what was left open is not seen');
        const { life } = await bench.life((process) => process.settle(), mishap);
        await settleAll(bench, `behind a settling that died ${at(mishap)}`);
        return life === 'died';
      });
    },
  },
  {
    name: 'a decided epoch is committed once, whichever call its commit dies at',
    of: 'prepared',
    async run(bench) {
      await atEachCall('die', async (mishap) => {
        const { rows, prepared } = await decided(bench);
        const { life } = await bench.life((process) => process.commit(rows, prepared), mishap);
        await bench.well((process) => process.commit(rows, prepared));
        await bench.check(`its commit died ${at(mishap)}`);
        await settleAll(bench, `behind a commit that died ${at(mishap)}`);
        return life === 'died';
      });
    },
  },
  {
    name: 'a decided epoch is committed once, whichever call of its commit fails, and however often it is committed',
    of: 'prepared',
    async run(bench) {
      await atEachCall('fail', async (mishap) => {
        const { rows, prepared } = await decided(bench);
        const { calls } = await bench.life((process) => process.commit(rows, prepared), mishap);
        await bench.check(`a commit that failed ${at(mishap)}`);
        await bench.well((process) => process.commit(rows, prepared));
        await bench.check('it was committed again');
        return calls >= mishap.call;
      });
    },
  },
  {
    name: 'two processes that commit a decided epoch at once commit it once',
    of: 'prepared',
    async run(bench) {
      const { rows, prepared } = await decided(bench);
      await Promise.all([1, 2, 3].map(() => bench.well((process) => process.commit(rows, prepared))));
      await bench.check('it was committed by three at once');
      await settleAll(bench, 'in the end');
    },
  },
  {
    name: 'a decided epoch that somebody ended is sent again and committed once, whichever call that dies at',
    of: 'prepared',
    async run(bench) {
      await atEachCall('die', async (mishap) => {
        const { rows, prepared } = await decided(bench);
        // A coordinator that was superseded does not know that it is decided.
        await bench.well((process) => process.abort(prepared));
        let newest: Committable = prepared;
        const record = (again: Committable) => {
          newest = again;
        };
        const { life } = await bench.life((process) => process.commit(rows, prepared, record), mishap);
        await bench.well((process) => process.commit(rows, newest, record));
        await bench.check(`it was sent again by one that died ${at(mishap)}`);
        await settleAll(bench, `behind one that died ${at(mishap)}`);
        return life === 'died';
      });
    },
  },
  {
    name: 'a decided epoch that was settled by one who did not know is sent again, and committed once',
    of: 'prepared',
    async run(bench) {
      const { rows, prepared } = await decided(bench);
      await bench.well((process) => process.settle());
      await bench.well((process) => process.commit(rows, prepared));
      await bench.check('it was settled before it was committed');
      await settleAll(bench, 'in the end');
    },
  },
  {
    name: 'an attempt that wakes up when its epoch is committed changes nothing',
    of: 'prepared',
    async run(bench) {
      const { rows, prepared } = await decided(bench);
      await bench.well((process) => process.commit(rows, prepared));
      const late = await bench.stage(rows.epoch);
      await bench.well((process) => process.prepare(late));
      await bench.check('an attempt woke up');
      await settleAll(bench, 'an attempt woke up');
    },
  },
  {
    name: 'nothing is delivered before it is decided, and all of it then',
    of: 'delivered',
    async run(bench) {
      const rows = await bench.stage();
      await bench.check('when it is staged');
      bench.decide(rows);
      await bench.well((process) => process.deliverAll(rows));
      await bench.check('when it is delivered');
    },
  },
  {
    name: 'a decided epoch is delivered, whichever call its delivery dies at',
    of: 'delivered',
    async run(bench) {
      await atEachCall('die', async (mishap) => {
        const rows = await stagedAndDecided(bench);
        const { life } = await bench.life((process) => process.deliverAll(rows), mishap);
        await bench.well((process) => process.deliverAll(rows));
        await bench.check(`its delivery died ${at(mishap)}`);
        return life === 'died';
      });
    },
  },
  {
    name: 'a decided epoch is delivered, whichever call of its delivery fails',
    of: 'delivered',
    async run(bench) {
      await atEachCall('fail', async (mishap) => {
        const rows = await stagedAndDecided(bench);
        const { calls } = await bench.life((process) => process.deliverAll(rows), mishap);
        await bench.check(`its delivery failed ${at(mishap)}`);
        return calls >= mishap.call;
      });
    },
  },
  {
    name: 'an epoch that is delivered again, behind the one after it, changes nothing',
    of: 'delivered',
    async run(bench) {
      const first = await stagedAndDecided(bench);
      await bench.well((process) => process.deliverAll(first));
      const second = await stagedAndDecided(bench);
      await bench.well((process) => process.deliverAll(second));
      await bench.well((process) => process.deliverAll(first));
      await bench.check('the first was delivered once more');
    },
  },
  {
    name: 'two processes that deliver an epoch at once deliver it',
    of: 'delivered',
    async run(bench) {
      const rows = await stagedAndDecided(bench);
      await Promise.all([1, 2, 3].map(() => bench.well((process) => process.deliverAll(rows))));
      await bench.check('it was delivered by three at once');
    },
  },
  {
    name: 'a call that has no time left comes further all the same, and the next one goes on there',
    of: 'delivered',
    async run(bench) {
      const rows = await stagedAndDecided(bench);
      await bench.well(async (process) => {
        const until = { ...bench.until(), deadlineMs: bench.options.clock.elapsedMs() + NEARLY_OVER_MS };
        const answer = await process.deliver(rows, undefined, until);
        if (answer.outcome !== 'delivered') await goOn(process, rows, answer.done);
      });
      await bench.check('it was delivered by two calls');
    },
  },
];

/** Enough for a target that is on this machine to answer once. */
const NEARLY_OVER_MS = 100;

async function goOn(process: SinkProcess, rows: StagedRows, done: Readonly<Record<string, unknown>>): Promise<void> {
  const answer = await process.deliver(rows, done);
  if (answer.outcome !== 'delivered') throw new DrillFault(`the next call came to ${answer.outcome}`);
}

async function decided(bench: SinkBench): Promise<{ readonly rows: StagedRows; readonly prepared: Committable }> {
  const rows = await bench.stage();
  const prepared = await bench.well((process) => process.prepare(rows));
  bench.decide(rows);
  return { rows, prepared };
}

async function stagedAndDecided(bench: SinkBench): Promise<StagedRows> {
  const rows = await bench.stage();
  bench.decide(rows);
  return rows;
}

/** Settled, nothing is left that a look could find, and what readers see is as it was. */
async function settleAll(bench: SinkBench, moment: string): Promise<void> {
  await bench.well((process) => process.settle());
  if (await bench.well((process) => process.seesLeftOpen())) throw new DrillFault(`${moment}: something is open though all was settled`);
  await bench.check(`${moment}: it was settled`);
}
