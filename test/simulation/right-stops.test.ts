import { describe, expect, it } from 'vitest';
import { UploadPlace } from '../support/upload-place.ts';
import type { Checker } from './checker/checker.ts';
import { Dice } from './kernel/dice.ts';
import { Broker } from './models/kafka-broker.ts';
import { Person } from './right-stops.ts';

const message = (producerId: number) =>
  `transaction t of epoch 3: the broker forgot its end in out-0 (KAFKA-20734), and has replaced its producer id ${producerId} since. End it`;

/** Producer 7 has something open in `out`, and no transactional id has it. */
function strandedIn() {
  const broker = new Broker({ nowMs: () => 0, later: () => {}, markerDelayMs: () => 0, shuffled: (items) => [...items] });
  broker.createTopic('out', 1);
  broker.partition('out', 0)?.open.set(7n, 0);
  const understands = (producerId: number) =>
    new Person(broker, {} as Checker, new Dice(1), new UploadPlace()).understands(message(producerId), 0, undefined);
  return { broker, understands };
}

describe('a stop for a transaction that no client can end', () => {
  it('is right when there is one, which is ended by hand', () => {
    const { broker, understands } = strandedIn();
    expect(understands(7)).toBe(true);
    expect(broker.stranded()).toEqual([]);
  });

  it('is right when its topic was deleted, or made anew, before the job had ended', () => {
    const { broker, understands } = strandedIn();
    broker.catalog.delete('out');
    expect(understands(7)).toBe(true);
    broker.createTopic('out', 1);
    expect(understands(7)).toBe(true);
  });

  it('is none when there is nothing open under that producer, whatever became of the topic', () => {
    const { broker, understands } = strandedIn();
    expect(understands(8)).toBe(false);
    broker.catalog.delete('out');
    expect(understands(8)).toBe(false);
  });
});

it('a stop for one of several topics is right when one of them was away while the job ran', () => {
  const { broker } = strandedIn();
  broker.createTopic('copy', 1);
  const stopped =
    'epoch 6, stage copy: AddPartitionsToTxn was answered UNKNOWN_TOPIC_OR_PARTITION: one of the topics out, copy does not exist any more, or has fewer partitions';
  const isRight = () => new Person(broker, {} as Checker, new Dice(1), new UploadPlace()).understands(stopped, 0, undefined);
  expect(isRight()).toBe(false);
  broker.catalog.delete('copy');
  expect(isRight()).toBe(true);
});
