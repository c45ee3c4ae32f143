import { defineJob, int64, json, kafkaSink, listState, type Output, valueState } from '../../lib/api/index.ts';
import { type Auction, type Event, events, isPerson, type Person } from './events.ts';

const STATES: readonly string[] = ['OR', 'ID', 'CA'];

type Seller = Pick<Person, 'name' | 'city' | 'state'>;

/** Who sells in category 10 in three states: auctions joined with their sellers, whichever of the two came first. */
export default defineJob('nexmark-q3', (job) => {
  job
    .source('read-events', events)
    .filter((event) => isPerson(event) || isOfCategory10(event))
    .keyBy((event) => (isPerson(event) ? event.id : event.seller), int64)
    .process('join-sellers', {
      state: { seller: valueState(json<Seller>()), waiting: listState(int64) },
      onRecord(event, { seller, waiting }, out: Output<Seller & { readonly id: number }>) {
        if (isPerson(event)) {
          const { name, city, state } = event;
          seller.set({ name, city, state });
          if (STATES.includes(state)) for (const id of waiting) out.emit({ name, city, state, id });
          waiting.clear();
          return;
        }
        const known = seller.get();
        if (known === undefined) waiting.add(event.id);
        else if (STATES.includes(known.state)) out.emit({ ...known, id: event.id });
      },
    })
    .sink('write-results', kafkaSink({ topic: 'nexmark-q3', value: json() }));
});

function isOfCategory10(event: Event): event is Auction {
  return event.type === 'auction' && event.category === 10;
}
