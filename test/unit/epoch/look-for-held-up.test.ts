import { expect, it } from 'vitest';
import type { CoordinatorDeps, JobSettings } from '../../../lib/epoch/coordinator/context.ts';
import { lookForHeldUp } from '../../../lib/epoch/planning/look-for-held-up.ts';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';

const settings = {
  plan: { stages: ['one', 'two', 'one'].map((topic, index) => ({ kind: 'source', id: `read-${index}`, topic })) },
} as unknown as JobSettings;

/** A look at two topics, of whose partitions these are the high watermarks and the last stable offsets. */
async function look(of: Readonly<Record<string, { readonly end: readonly number[]; readonly latest: readonly number[] }>>) {
  const events: CoordinatorEvent[] = [];
  const kafka = {
    partitionCount: async (topic: string) => of[topic]?.end.length,
    offsets: async (topic: string, _partitions: readonly number[], at: 'end' | 'latest') => of[topic]?.[at],
  };
  await lookForHeldUp({ kafka, observe: (event: CoordinatorEvent) => events.push(event) } as unknown as CoordinatorDeps, settings);
  return events;
}

it('what is behind the last stable offsets of the source topics is counted, each topic once', async () => {
  const events = await look({ one: { end: [310, 7], latest: [7, 7] }, two: { end: [5], latest: [3] } });
  expect(events).toEqual([{ event: 'held-up', records: 305 }]);
});

it('nothing is said while nothing is held up, also when a log grows between the two questions', async () => {
  expect(await look({ one: { end: [310, 7], latest: [310, 9] }, two: { end: [], latest: [] } })).toEqual([]);
});
