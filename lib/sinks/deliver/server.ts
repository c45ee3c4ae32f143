import { MalformedError } from '../../protocol/malformed.ts';
import { checkCovered } from '../../protocol/permit.ts';
import { thrownOf } from '../../records/errors.ts';
import { checkConnector } from '../check-connector.ts';
import type { DeliveredServer, DeliverOutcome, SinkPlace, Until } from '../connector.ts';
import { paceUntil } from '../pace.ts';
import { CONNECTOR } from './coordination.ts';
import { batchesDone, doneOf } from './done.ts';
import { DeliveryRefusedError } from './refused.ts';
import type { DeliverSinkSpec, DeliveryStart } from './spec.ts';
import { readBatches, type StagedBatch } from './staged-rows.ts';

/** The half in the sink's function: gives staged output to the function of the job's author, batch by batch, each until it answers. */
export function serveDeliver(specOf: (sink: string) => DeliverSinkSpec | undefined): DeliveredServer {
  return {
    how: 'delivered',
    async deliver(until, permit, committable, { staged, done, place }) {
      checkConnector(committable, CONNECTOR);
      checkCovered(committable, permit);
      const { sink, epoch } = committable;
      const spec = specOf(sink);
      const known = batchesDone(done);
      if (spec === undefined) return { outcome: 'failed', done: doneOf(known ?? 0), kind: 'refused', message: withoutCode(sink, epoch) };
      const batches = (await staged.read()).flatMap(({ payload, name }) => readBatches(payload, name));
      return inTime(until, (time) => deliverBatches(until, { spec, place, batches, known, time }));
    },
  };
}

function withoutCode(sink: string, epoch: number): string {
  return `epoch ${epoch} is decided, and its output is delivered by a function of the job, which has no sink ${sink} here: start the job with a build that has it, or name its module to this command (ONCEFLOW_JOB)`;
}

interface Delivery {
  readonly spec: DeliverSinkSpec;
  readonly place: SinkPlace;
  readonly batches: readonly StagedBatch[];
  /** How many are delivered; undefined: this coordinator does not know. */
  readonly known: number | undefined;
  readonly time: CallTime;
}

async function deliverBatches(until: Until, { spec, place, batches, known, time }: Delivery): Promise<DeliverOutcome> {
  const { job, incarnation, sink, subtask, epoch } = place;
  const start: DeliveryStart = { job, incarnation, sink, subtask, epoch, signal: time.signal };
  let done = known ?? 0;
  const failed = (error: unknown): DeliverOutcome => {
    const { name, message } = thrownOf(error);
    return {
      outcome: 'failed',
      done: doneOf(done),
      kind: isRefusal(error) ? 'refused' : 'transient',
      message: `sink ${sink}, subtask ${subtask}, epoch ${epoch}, batch ${done} of ${batches.length}: ${name}: ${message}`,
    };
  };
  const mayGoOn = paceUntil(until);
  if (known === undefined && spec.delivered !== undefined) {
    const { delivered } = spec;
    try {
      done = deliveredOf(await time.within(() => delivered(start)), batches.length);
    } catch (error) {
      return failed(error);
    }
  }
  for (const { bytes, rows } of batches.slice(done)) {
    if (!mayGoOn()) return { outcome: 'partly', done: doneOf(done) };
    const values = rows.map((row) => readRow(place, spec, bytes, row));
    const id = [job, incarnation, sink, subtask, epoch, done].join('/');
    try {
      await time.within(() => spec.deliver(values, { ...start, batch: done, id }));
    } catch (error) {
      return failed(error);
    }
    done++;
  }
  return { outcome: 'delivered' };
}

/** What is staged and cannot be read never can: that stops the job. @throws MalformedError */
function readRow({ sink, epoch }: SinkPlace, { value }: DeliverSinkSpec, bytes: Buffer, row: StagedBatch['rows'][number]): unknown {
  try {
    return value.read(bytes, row.start, row.end);
  } catch (error) {
    const { name, message } = thrownOf(error);
    throw new MalformedError(
      `epoch ${epoch} is decided, and a row of it that sink ${sink} is to deliver cannot be read by its serde ${value.name}: ${name}: ${message}. Start the job with the serde that wrote it`,
    );
  }
}

/** By its name: the job may have it from another copy of this package than the engine. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === DeliveryRefusedError.name;
}

/** What the target says that it has of the epoch. */
function deliveredOf(told: unknown, batches: number): number {
  if (typeof told === 'number' && Number.isInteger(told) && told >= 0 && told <= batches) return told;
  throw new DeliveryRefusedError(
    `\`delivered\` answered ${String(told)}, and must say how many batches of the epoch the target has: 0 to ${batches}`,
  );
}

/** The time that one call has. */
interface CallTime {
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  /** What `make` makes; rejects when the time is over before. */
  within(make: () => unknown): Promise<unknown>;
}

async function inTime<T>({ clock, deadlineMs }: Until, work: (time: CallTime) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const finished = new AbortController();
  const late = clock.sleep(Math.max(0, deadlineMs - clock.elapsedMs()), finished.signal).then((): never => {
    if (!finished.signal.aborted) over.abort();
    throw new Error('it was not answered in time, and is tried again');
  });
  late.catch(() => {});
  try {
    return await work({ signal: over.signal, within: async (make) => Promise.race([make(), late]) });
  } finally {
    finished.abort();
  }
}
