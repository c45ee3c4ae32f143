import type { CoordinatorDeps } from '../../../lib/epoch/coordinator/context.ts';
import type { Random } from '../../../lib/ports/clock.ts';
import type { KafkaRequests } from '../../../lib/ports/kafka-requests.ts';
import type { SinkTargets } from '../../../lib/ports/sink-targets.ts';
import { createBlobs } from '../../../lib/storage/blobs.ts';
import { Dice, hashOf } from '../kernel/dice.ts';
import type { Service } from '../kernel/faults.ts';
import { clockOf, type SimProcess } from '../kernel/process.ts';
import { modelBlobStore } from '../models/blob-bucket.ts';
import { modelEpochStore } from '../models/epoch-store.ts';
import { type Carry, modelKafka } from '../models/kafka-requests.ts';
import type { World } from '../world.ts';

/** What it takes a process to be told who leads. */
const ASKING_LEADERS_MS = 5;

const BROKER_CONFIG = new Map([['transaction.max.timeout.ms', '900000']]);

const TOPIC_CONFIG = new Map([
  ['max.message.bytes', '1048588'],
  ['cleanup.policy', 'delete'],
]);

/** The services, as one process reaches them. */
export type Ports = Omit<CoordinatorDeps, 'invoker' | 'observe' | 'sinks'> & {
  readonly kafka: KafkaRequests;
  readonly targets: SinkTargets;
};

export function portsOf(world: World, process: SimProcess): Ports {
  const { seed, lookMs } = world.options;
  const carry = (service: Service) => carryOf(world, process, service);
  const dice = new Dice(hashOf(seed, process.name));
  const asking = new Dice(hashOf(seed, `metadata of ${process.name}`));
  const random: Random = { id: () => dice.id(), fraction: () => dice.next() };
  const blobStore = modelBlobStore(world.bucket, carry('bucket'));
  const clock = clockOf(world.scheduler, process, lookMs);
  return {
    epochs: modelEpochStore(world.table, carry('table')),
    blobStore,
    blobs: createBlobs(blobStore, random),
    kafka: modelKafka(world.broker, carry('kafka'), {
      broker: BROKER_CONFIG,
      topic: TOPIC_CONFIG,
      nowMs: () => world.scheduler.nowMs,
      asksLate: () => asking.chance(0.5),
      asking: () => clock.sleep(ASKING_LEADERS_MS),
    }),
    targets: world.targets.reachedBy(carry('target')),
    clock,
    random,
  };
}

/** How one process speaks to a service: by the network, where faults are. */
export function carryOf(world: World, process: SimProcess, service: Service): Carry {
  return (api, about, failure, execute) => world.network.call(process, service, api, about, failure, execute);
}
