import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaService } from '../../local/stack/kafka.ts';
import type { CommandProcess, LogLine } from '../support/command-process.ts';
import { differences } from '../support/differences.ts';
import { TopicReader } from '../support/topic-reader.ts';
import { waitFor } from '../support/wait-for.ts';
import { chartOf } from './chart.ts';
import { consumed, expectedOf } from './check.ts';
import { Load } from './load.ts';
import { buildEnv, makePlaces } from './places.ts';
import { User } from './user.ts';

export interface SessionOptions {
  /** It is killed on the way. */
  readonly kafka: Pick<KafkaService, 'bootstrap' | 'kill' | 'restart'>;
  /** Leads to DynamoDB and S3. */
  readonly env: Readonly<Record<string, string>>;
  /** Another one for each session on the same stack. */
  readonly name: string;
  readonly report: (line: string) => unknown;
}

export interface SessionRun {
  readonly orders: number;
  /** How the number of subtasks of the adding operator has changed by itself. */
  readonly rescaled: readonly { readonly from: number; readonly to: number }[];
  /** Of each topic of the job: what Kafka's own consumer finds in it that it should not, and lacks. Empty when every record is there once. */
  readonly differences: { readonly totals: readonly string[]; readonly sizes: readonly string[] };
  readonly chart: string;
}

/** So that a broker that was killed may come back soon. */
export const BROKER_SETTINGS = { 'broker.session.timeout.ms': 1_500, 'broker.heartbeat.interval.ms': 300 };

/** The operator that adds up, as the second build calls it. */
const ADDING = 'sum-up';
/** So few that one subtask is enough for them on any machine. */
const CALM = 40;
const BURST = 6_000;
const FIRST_WIDTH = 2;
const WIDE = '1..4';
const PROCESSES = '4';
const DEAD_BROKER_MS = 1_000;

/** A job's life in a minute, by the command line alone, while orders come in all the time. */
export async function runSession({ kafka, env, name, report }: SessionOptions): Promise<SessionRun> {
  const brokers = kafka.bootstrap;
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-session-'));
  const user = new User(report);
  let load: Load | undefined;
  try {
    const places = await makePlaces({ brokers, env, name, folder });
    const { inAws, onDisk, exportTo } = places;
    const first = { ...inAws, ...buildEnv(1, places), ONCEFLOW_STAGE_PARALLELISM: `read-orders=1,add-up=${FIRST_WIDTH},write-totals=1` };

    user.step('the job starts under load');
    load = new Load(brokers, places.orders, CALM);
    const before = user.start(first, ['run', '--processes', '2']);
    await moreEpochs(before, 3);

    user.step('a savepoint, while it runs');
    const { epoch } = (await user.run(first, ['savepoint', 'create', 'first', '--json'])).json() as { epoch: number };
    user.detail(`savepoint first keeps epoch ${epoch}`);
    await moreEpochs(before, 3);

    user.step('the changed job is rehearsed on what was decided');
    const changed = buildEnv(2, places);
    const rehearsal = ['rehearse', '--job', changed['ONCEFLOW_JOB'] ?? '', '--epochs', `${epoch + 1}..${epoch + 2}`, '--json'];
    user.detail(rehearsed((await user.run({ ...inAws, ...changed }, rehearsal, 10)).json()));

    user.step('it is stopped, kept, and started as the changed job with other numbers of subtasks; a second machine stands by');
    await user.run(first, ['stop']);
    await before.stop();
    await user.run(first, ['savepoint', 'create', 'before-2']);
    const begins = await beginsAt(user, first, places.orders);
    const second = {
      ...inAws,
      ...changed,
      ONCEFLOW_STAGE_PARALLELISM: `read-orders=3,${ADDING}=${WIDE},count-sizes=2,write-totals=2,write-sizes=1`,
      ONCEFLOW_START_FROM: 'before-2',
    };
    const one = user.start(second, ['run', '--start', '--processes', PROCESSES]);
    await one.line(({ event }) => event === 'started-from', 'that it started from the savepoint');
    await moreEpochs(one, 2);
    const other = user.start(second, ['run', '--processes', PROCESSES]);
    await other.line(({ event }) => event === 'stands-by', 'that it stands by');

    user.step(`a burst of ${BURST} orders`);
    const rescaled = (way: 'up' | 'down', behindMs: number) =>
      one.line((line) => isRescaled(line, way) && user.atMs(line) > behindMs, `that it has ${way === 'up' ? 'more' : 'fewer'} subtasks`);
    await load.burst(BURST);
    const burstMs = user.nowMs;
    // A busy machine may have made it more before.
    user.detail(scaleText(await rescaled('up', 0)));
    user.detail(scaleText(await rescaled('down', burstMs)));

    user.step('the machine that works is killed with -9');
    await one.killGroup();
    await other.line(({ event }) => event === 'recovered', 'that it has taken over');
    await moreEpochs(other, 2);

    user.step('a process of its functions is killed with -9');
    process.kill(other.functionProcess(), 'SIGKILL');
    await other.says('of the functions ended with SIGKILL: it is started again');
    await moreEpochs(other, 2);

    user.step('the broker is killed with -9, and comes back');
    await kafka.kill();
    await sleep(DEAD_BROKER_MS);
    await kafka.restart();
    await moreEpochs(other, 2);

    user.step('it is stopped, kept and exported, and deleted with all that it had');
    await user.run(second, ['stop']);
    await other.stop();
    await user.run(second, ['savepoint', 'create', 'last']);
    await user.run(second, ['savepoint', 'export', 'last', exportTo]);
    await user.run(second, ['cancel', '--retention', 'delete']);
    for (const savepoint of ['first', 'before-2', 'last']) await user.run(second, ['savepoint', 'delete', savepoint]);

    user.step('it goes on elsewhere, under another name');
    const moved = { ...onDisk, ...changed, ONCEFLOW_START_FROM: 'arrived', ONCEFLOW_PARALLELISM: '2' };
    await user.run(moved, ['savepoint', 'import', 'arrived', exportTo]);
    const there = user.start(moved, ['run', '--processes', '2']);
    await moreEpochs(there, 2);
    await user.run(moved, ['status']);

    user.step('no more orders come; what there are is worked off, and the job is stopped');
    await load.stop();
    const count = await untilAllIsThere(brokers, places);
    await user.run(moved, ['stop']);
    await there.stop();

    user.step("Kafka's own consumer reads everything, and each record is compared");
    const later = count - begins.reduce((sum, offset) => sum + offset, 0);
    const [input, totals, sizes] = await Promise.all([
      consumed(brokers, places.orders, count),
      consumed(brokers, places.totals, count),
      consumed(brokers, places.sizes, later),
    ]);
    const expected = expectedOf(input, begins);
    const found = {
      totals: differences(valuesOf(totals), expected.totals),
      sizes: differences(valuesOf(sizes), expected.sizes),
    };
    for (const [topic, wrong] of Object.entries(found))
      user.detail(`${topic}: ${wrong.length === 0 ? 'every record once' : wrong.join('; ')}`);
    const changes = user.logged.filter((line) => isRescaled(line, 'up') || isRescaled(line, 'down'));
    return {
      orders: expected.totals.length,
      rescaled: changes.map(({ from, to }) => ({ from: Number(from), to: Number(to) })),
      differences: found,
      chart: chartOf({
        endMs: user.nowMs,
        sent: load.sent.map(({ atMs, orders }) => ({ atMs: user.since(atMs), amount: orders })),
        committed: user.committed(),
        subtasks: user.subtasks(ADDING),
        marks: user.marks,
      }),
    };
  } finally {
    await Promise.all([load?.stop(), user.killAll()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The job moves on: epochs with input are committed. */
async function moreEpochs(machine: CommandProcess, epochs: number): Promise<void> {
  const committed = () => machine.lines.filter(hasCommitted).length;
  const before = committed();
  await waitFor(`${epochs} more epochs`, () => {
    if (machine.child.exitCode !== null) throw new Error(`it has ended\n${machine.told()}`);
    return committed() >= before + epochs;
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${machine.told()}`);
  });
}

function hasCommitted({ event, figures }: LogLine): boolean {
  return event === 'committed' && (figures as { recordsIn: number }).recordsIn > 0;
}

function isRescaled({ event, stage, from, to }: LogLine, way: 'up' | 'down'): boolean {
  return event === 'rescaled' && stage === ADDING && (way === 'up' ? Number(to) > Number(from) : Number(to) < Number(from));
}

function scaleText({ stage, from, to, why }: LogLine): string {
  return `${stage} has ${to} subtasks in place of ${from}: ${why}`;
}

interface Rehearsed {
  readonly epoch: number;
  readonly outcome: string;
  readonly output: readonly { readonly sink: string; readonly again: number; readonly byKey?: readonly unknown[] }[];
}

/** What the totals are is the same, and the sizes are new. */
function rehearsed(answer: Record<string, unknown>): string {
  const { epochs } = answer as { epochs: readonly Rehearsed[] };
  for (const { epoch, outcome, output } of epochs) {
    const totals = output.find(({ sink }) => sink === 'write-totals');
    if (outcome === 'failed' || totals?.byKey?.length !== 0) throw new Error(`the rehearsal of epoch ${epoch}: ${JSON.stringify(output)}`);
  }
  const rows = (sink: string) =>
    epochs.flatMap(({ output }) => output.filter((each) => each.sink === sink)).reduce((sum, { again }) => sum + again, 0);
  return `${epochs.length} epochs run again: ${rows('write-totals')} totals, the same as then; ${rows('write-sizes')} sizes, which are new`;
}

/** Of each partition, the first order that the second build reads. */
async function beginsAt(user: User, env: Readonly<Record<string, string>>, topic: string): Promise<readonly number[]> {
  const shown = (await user.run(env, ['savepoint', 'show', 'before-2', '--json'])).json();
  const { offsets } = shown as { offsets: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> };
  const begins = offsets['read-orders']?.[topic] ?? [];
  user.detail(`it begins at offsets ${begins.join(', ')} of ${topic}`);
  return begins;
}

/** As many totals as orders: how many. */
async function untilAllIsThere(brokers: string, { orders, totals }: { readonly orders: string; readonly totals: string }): Promise<number> {
  const reader = (topic: string) => new TopicReader(topic, 'committed', brokers.split(','));
  const input = reader(orders);
  await input.readOn();
  await reader(totals).readUntil(({ records }) => records.length >= input.records.length);
  return input.records.length;
}

function valuesOf(records: readonly { readonly value: string }[]): string[] {
  return records.map(({ value }) => value);
}
