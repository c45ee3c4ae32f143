import { connect, defineJob, int64, json, kafkaSink, listState, type Output, valueState } from '../../lib/api/index.ts';
import { events, isAuction, isPerson, type Person } from './events.ts';

const STATES: readonly string[] = ['OR', 'ID', 'CA'];

type Seller = Pick<Person, 'name' | 'city' | 'state'>;
type Result = Seller & { readonly id: number };

/** Who sells in category 10 in three states: auctions joined with their sellers, whichever of the two came first. */
export default defineJob('nexmark-q3', (job) => {
  const all = job.source('read-events', events);
  const persons = all.filter(isPerson).filter(({ state }) => STATES.includes(state));
  const auctions = all.filter(isAuction).filter(({ category }) => category === 10);
  connect({ persons: persons.keyBy(({ id }) => id, int64), auctions: auctions.keyBy(({ seller }) => seller, int64) })
    .process('join-sellers', {
      state: { seller: valueState(json<Seller>()), waiting: listState(int64) },
      on: {
        persons({ name, city, state }, { seller, waiting }, out: Output<Result>) {
          seller.set({ name, city, state });
          for (const id of waiting) out.emit({ name, city, state, id });
          waiting.clear();
        },
        auctions({ id }, { seller, waiting }, out: Output<Result>) {
          const known = seller.get();
          if (known === undefined) waiting.add(id);
          else out.emit({ ...known, id });
        },
      },
    })
    .sink('write-results', kafkaSink({ topic: 'nexmark-q3', value: json() }));
});
