import { byName } from '../../config/by-name.ts';
import type { DeliveredCoordination } from '../connector.ts';

/** Of committables that a function of the job's author delivers. Their tokens are empty. */
export const CONNECTOR = 'deliver';

/** The half where the coordinator is. It knows nothing of the target, and leaves nothing open there. */
export function coordinateDeliver(): DeliveredCoordination {
  return {
    how: 'delivered',
    connector: CONNECTOR,
    poolOf: CONNECTOR,
    refusalOf: () => Promise.resolve(undefined),
    learn: (sinks) => Promise.resolve({ outcome: 'learnt', facts: byName(sinks.map(({ sink }) => [sink, {}] as const)) }),
    placesOf: () => [],
  };
}
