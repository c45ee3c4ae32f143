import {
  connect,
  type DataStream,
  defineJob,
  json,
  type KeyedStream,
  kafkaSink,
  kafkaSource,
  mapState,
  type Output,
  utf8,
} from '../../../lib/api/index.ts';
import { testJob } from '../../../lib/testing/index.ts';
import { timeWindows } from '../windows.ts';
import type { AsOfCase, Case, IntervalCase, Rounds, Row, TableCase, TablesCase, TopCase, WindowCase } from './case.ts';

type Keyed = KeyedStream<string, Row>;

/** What comes with a watermark and is no row. */
interface Mark {
  readonly watermarkMs: number;
}

const eventTime = {
  timestamp: (step: Row | Mark) => ('t' in step ? step.t : 0),
  watermark: (step: Row | Mark) => ('watermarkMs' in step ? step.watermarkMs : undefined),
  maxAheadMs: Number.POSITIVE_INFINITY,
};
const lefts = kafkaSource({ topic: 'left', value: json<Row | Mark>(), eventTime });
const rights = kafkaSource({ topic: 'right', value: json<Row | Mark>(), eventTime });
const written = kafkaSink({ topic: 'out', value: utf8 });
const byKey = (rows: DataStream<Row>): Keyed => rows.keyBy(({ k }) => k, utf8, { value: json<Row>() });

/** What a job gives in memory: each round is an epoch, in the middle of a case at another parallelism. */
export async function ours(asked: Case): Promise<Rounds> {
  const hasRight = asked.kind !== 'deduplicate' && asked.kind !== 'top';
  const job = testJob(
    defineJob('asked', (builder) => {
      const left = builder.source('read-left', lefts).filter((step) => 't' in step);
      const right = () => builder.source('read-right', rights).filter((step) => 't' in step);
      made(asked, left, right).sink('write', written);
    }),
  );
  const rounds: (readonly string[])[] = [];
  let given = 0;
  for (const { left, right, watermarkMs, processingMs, parallelism } of asked.rounds) {
    if (parallelism !== undefined) job.restore({ parallelism });
    await job.advanceProcessingTime({ toMs: Math.max(processingMs, job.nowMs), job: 'down' });
    const marks = watermarkMs === undefined ? [] : [{ watermarkMs }];
    job.push(lefts, ...left, ...marks);
    if (hasRight) job.push(rights, ...right, ...marks);
    await job.runEpoch();
    const all = job.output(written).map(({ timestamp, value }) => `${value} at ${timestamp}`);
    rounds.push(all.slice(given));
    given = all.length;
  }
  return rounds;
}

function made(asked: Case, left: DataStream<Row>, right: () => DataStream<Row>): DataStream<string> {
  const keyed = byKey(left);
  switch (asked.kind) {
    case 'interval':
      return withLate(ofInterval(asked, keyed, byKey(right())));
    case 'asOf':
      return withLate(asOf(asked, keyed, byKey(right())));
    case 'table':
      return ofTable(asked, keyed, byKey(right()));
    case 'tables':
      return ofTables(asked, keyed, byKey(right()));
    case 'window':
      return ofWindows(asked, keyed, byKey(right()));
    case 'deduplicate':
      return keyed.deduplicate('op', asked.forMs === undefined ? {} : { forMs: asked.forMs }).map(({ k, name }) => `${k} ${name}`);
    case 'top':
      return ranks(asked, keyed);
    case 'broadcast':
      return seen(keyed, right());
  }
}

const pair = (left: Row, right: Row | undefined) => `${left.k} ${left.name} ${right?.name ?? '-'}`;
const isDeleted = ({ gone }: Row) => gone;

function withLate(results: DataStream<string> & { readonly late: DataStream<Row> }): DataStream<string> {
  return results.union(results.late.map(({ k, name }) => `${k} late ${name}`));
}

function ofInterval({ type, lowerBoundMs, upperBoundMs }: IntervalCase, left: Keyed, right: Keyed) {
  const bounds = { lowerBoundMs, upperBoundMs };
  return type === 'left'
    ? left.intervalJoin('op', right, { ...bounds, type, join: pair })
    : left.intervalJoin('op', right, { ...bounds, join: pair });
}

function asOf({ type }: AsOfCase, left: Keyed, right: Keyed) {
  return type === 'left'
    ? left.asOfJoin('op', right, { type, isDeleted, join: pair })
    : left.asOfJoin('op', right, { isDeleted, join: pair });
}

function ofTable({ type }: TableCase, left: Keyed, right: Keyed) {
  return type === 'left'
    ? left.tableJoin('op', right, { type, isDeleted, join: pair })
    : left.tableJoin('op', right, { isDeleted, join: pair });
}

function ofTables({ type }: TablesCase, left: Keyed, right: Keyed) {
  const common = { isLeftDeleted: isDeleted, isRightDeleted: isDeleted };
  const join = (one: Row | undefined, other: Row | undefined) => `${one?.name ?? '-'} ${other?.name ?? '-'}`;
  const changes =
    type === 'full'
      ? left.joinTables('op', right, { ...common, type, join })
      : type === 'left'
        ? left.joinTables('op', right, { ...common, type, join })
        : left.joinTables('op', right, { ...common, join });
  return changes.map(({ key, value }) => `${key} ${value ?? 'gone'}`);
}

function ofWindows({ shape, allowedLatenessMs, make }: WindowCase, left: Keyed, right: Keyed): DataStream<string> {
  const windows = left.window(timeWindows(shape), { allowedLatenessMs });
  const names = (rows: readonly Row[]) => rows.map(({ name }) => name).join(',');
  return make === 'join'
    ? windows.join('op', right, { join: pair })
    : windows.coGroup('op', right, (one, other, { key }, out: Output<string>) => out.emit(`${key} [${names(one)}] [${names(other)}]`));
}

function ranks({ n }: TopCase, keyed: Keyed): DataStream<string> {
  return keyed.topN('op', { n, by: ({ p }) => p }).map(({ key, rank, value }) => `${key} ${rank} ${value.name}`);
}

function seen(keyed: Keyed, right: DataStream<Row>): DataStream<string> {
  return connect({ left: keyed, right: right.broadcast({ value: json<Row>() }) }).process('op', {
    broadcastState: { known: mapState(utf8, utf8) },
    on: {
      right({ k, name, gone }, { known }) {
        if (gone) known.delete(k);
        else known.set(k, name);
      },
      left({ k, name }, { known }, out: Output<string>) {
        const all = [...known.entries()].map(([key, newest]) => `${key}=${newest}`);
        out.emit([k, name, ...all.toSorted()].join(' '));
      },
    },
  });
}
