import { expect, it } from 'vitest';
import type { BrokerLink } from '../../../lib/kafka/broker-link.ts';
import { Informants } from '../../../lib/kafka/informants.ts';
import { NoAnswer, type WireRequest } from '../../../lib/kafka/wire-request.ts';

const request = {} as WireRequest<string>;

/** Three brokers; a test changes what becomes of a question to each, and which are connected. */
function three() {
  const asked: string[] = [];
  const down = new Set<string>();
  const connected = new Set<string>();
  const links = ['a', 'b', 'c'].map((name) => {
    const read = async () => {
      asked.push(name);
      return down.has(name) ? new NoAnswer(name) : name;
    };
    return { isOpen: () => connected.has(name), read } as unknown as BrokerLink;
  });
  let nowMs = 0;
  const clock = { now: () => nowMs, elapsedMs: () => nowMs, sleep: () => new Promise<void>(() => {}) };
  const informants = new Informants(clock, 1_000);
  return {
    asked,
    connected,
    down,
    informants,
    link: (name: 'a' | 'b' | 'c') => links['abc'.indexOf(name)] as BrokerLink,
    later(ms: number) {
      nowMs += ms;
    },
    /** Whom it asks, in this order. */
    async ask() {
      asked.splice(0);
      await informants.ask(links, async () => request);
      return [...asked];
    },
  };
}

it('those that are connected come first', async () => {
  const { ask, connected } = three();
  connected.add('b');
  expect(await ask()).toEqual(['b']);
});

it('those that were passed over come after them, the longest ago first', async () => {
  const { ask, connected, informants, link } = three();
  connected.add('b');
  informants.passOver(link('b'));
  expect(await ask()).toEqual(['a']);
  informants.passOver(link('a'));
  informants.passOver(link('c'));
  expect(await ask()).toEqual(['b']);
});

it('one that had no answer comes last, until it answers again', async () => {
  const { ask, down, informants, link } = three();
  down.add('a');
  expect(await ask()).toEqual(['a', 'b']);
  informants.passOver(link('b'));
  informants.passOver(link('c'));
  expect(await ask()).toEqual(['b']);
  down.add('b').add('c').delete('a');
  expect(await ask()).toEqual(['b', 'c', 'a']);
  down.clear();
  informants.passOver(link('a'));
  expect(await ask()).toEqual(['a']);
});

it('one that had no answer is not kept waiting for ever by the only one that answers, when that one has told something wrong', async () => {
  const { ask, down, informants, later, link } = three();
  down.add('a').add('b');
  expect(await ask()).toEqual(['a', 'b', 'c']);
  down.clear();
  informants.passOver(link('c'));
  later(29_999);
  expect(await ask()).toEqual(['c']);
  later(1);
  expect(await ask()).toEqual(['a']);
});
