import type { Call, Fault } from '../kernel/faults.ts';
import type { World } from '../world.ts';
import { endCoordinator } from './coordinators.ts';

/** A wall clock that steps goes no further from the true time. */
const MOST_SKEW_MS = 90_000;
/** A coordinator that a fault has begun meets that fault too: with more of them at once they are an avalanche, in which time stands still. */
const MOST_COORDINATORS = 20;

/** What of a fault befalls more than the call that it was drawn for. */
export function inflict(world: World, fault: Fault, { service, caller }: Call): void {
  const { scheduler, network, coordinators } = world;
  switch (fault.fault) {
    case 'power-cut':
      for (const { process } of [...coordinators, ...world.functions.instances]) process.kill();
      for (const process of [...world.commands, ...world.keepers]) process.kill();
      return;
    case 'rival':
    case 'depose':
      if (coordinators.filter(({ process, ended }) => process.alive && !ended).length >= MOST_COORDINATORS) return;
      scheduler.after(0, undefined, () => world.startCoordinator());
      return;
    case 'hand-over':
      for (const running of coordinators) if (running.process === caller) endCoordinator(world, running, running.handOver);
      return;
    case 'stop':
      for (const running of coordinators.slice(-1)) endCoordinator(world, running, running.stop);
      return;
    case 'command':
      scheduler.after(0, undefined, () => world.startCommand(fault.run));
      return;
    case 'update':
      world.build = world.build === 'a' || world.options.job.grows === true ? 'b' : 'a';
      return;
    case 'clock-step':
      caller.clock.skewMs = Math.min(Math.max(caller.clock.skewMs + fault.byMs, -MOST_SKEW_MS), MOST_SKEW_MS);
      return;
    case 'outage':
      return network.cut(service, undefined, fault.forMs);
    case 'partition':
      return network.cut(service, caller, fault.forMs);
    case 'crash':
    case 'freeze':
    case 'lose':
    case 'late':
    case 'error':
    case 'slow':
    case 'twice':
    case 'cold':
      return;
    default:
      fault satisfies never;
  }
}
