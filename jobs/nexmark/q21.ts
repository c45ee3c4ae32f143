import { defineJob, json, kafkaSink } from '../../lib/api/index.ts';
import { type Bid, events, isBid } from './events.ts';

const CHANNEL_IDS: ReadonlyMap<string, string> = new Map([
  ['apple', '0'],
  ['google', '1'],
  ['facebook', '2'],
  ['baidu', '3'],
]);

/** Bids with the id of their channel: of the known ones by name, of others by their url. Those without one are dropped. */
export default defineJob('nexmark-q21', (job) => {
  job
    .source('read-events', events)
    .filter(isBid)
    .flatMap((bid) => {
      const channel_id = channelId(bid);
      const { auction, bidder, price, channel } = bid;
      return channel_id === undefined ? [] : [{ auction, bidder, price, channel, channel_id }];
    })
    .sink('write-results', kafkaSink({ topic: 'nexmark-q21', value: json() }));
});

function channelId({ channel, url }: Bid): string | undefined {
  return CHANNEL_IDS.get(channel.toLowerCase()) ?? /(?:&|^)channel_id=([^&]*)/.exec(url)?.[1];
}
