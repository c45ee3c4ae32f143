import { afterAll, beforeAll, expect, it } from 'vitest';
import { committedValues, type KafkaUnderTest } from './kafka-transactions.ts';
import { type Steps, stepsOn } from './transaction-steps.ts';

/** The engine's transactions, from prepare to resolve, on a broker: what becomes visible, and how often. */
export function transactionLogicContract(open: () => Promise<KafkaUnderTest>): void {
  let under: KafkaUnderTest;
  let steps: Steps;

  beforeAll(async () => {
    under = await open();
    steps = stepsOn(under);
  });

  afterAll(() => under?.kafka.close());

  it('an attempt has in its transaction nothing of the attempt before, which the same process prepared', async () => {
    const [job, topic] = [under.newName(), await under.newTopic()];
    const dropped = await steps.prepare(job, topic, { 0: ['dropped'] });
    const decided = await steps.prepare(job, topic, { 0: ['decided'] });
    expect(await steps.check(dropped)).toMatchObject({ outcome: 'unsound' });
    expect(await steps.check(decided)).toEqual({ outcome: 'sound' });
    expect(await steps.commit(decided)).toEqual({ outcome: 'committed' });
    expect(await committedValues(under, topic, 4)).toEqual(['decided']);
    expect(await steps.commit(dropped)).toMatchObject({ outcome: 'doubtful' });
    expect(await steps.ended(dropped)).toEqual(['aborted']);
  });

  it('a prepared transaction knows where its records are, in each partition', async () => {
    const [job, topic] = [under.newName(), await under.newTopic(2)];
    const first = await steps.prepare(job, topic, { 0: ['a', 'b'], 1: ['c'] });
    expect(first.written.toSorted((one, other) => one.partition - other.partition)).toEqual([
      { topic, partition: 0, first: 0, last: 1 },
      { topic, partition: 1, first: 0, last: 0 },
    ]);
    const second = await steps.prepare(job, topic, { 0: ['d'] });
    expect(second.written).toEqual([{ topic, partition: 0, first: 3, last: 3 }]);
  });

  it('a decided transaction that was lost is sent again, once, whoever asks and how often', async () => {
    const [job, topic] = [under.newName(), await under.newTopic()];
    const lost = await steps.prepare(job, topic, { 0: ['a'] });
    await steps.settle(lost.transactionalId, topic);
    expect(await steps.commit(lost)).toMatchObject({ outcome: 'doubtful' });
    const resolved = await steps.resolve(lost, topic, { 0: ['a'] });
    if (resolved.outcome !== 'sent-again') throw new Error(resolved.outcome);
    expect(await steps.check(resolved.committable)).toEqual({ outcome: 'sound' });
    expect(await committedValues(under, topic, 2)).toEqual([]);
    expect(await steps.commit(resolved.committable)).toEqual({ outcome: 'committed' });
    expect(await steps.commit(resolved.committable)).toEqual({ outcome: 'committed' });
    expect(await steps.resolve(resolved.committable, topic, { 0: ['a'] })).toEqual({ outcome: 'committed' });
    expect(await committedValues(under, topic, 4)).toEqual(['a']);
  });

  it('what is sent again by two resolvers is committed of the one whose record counts, and not of the other', async () => {
    const [job, topic] = [under.newName(), await under.newTopic()];
    const lost = await steps.prepare(job, topic, { 0: ['a'] });
    await steps.settle(lost.transactionalId, topic);
    const [first, second] = [await steps.resolve(lost, topic, { 0: ['a'] }), await steps.resolve(lost, topic, { 0: ['a'] })];
    if (first.outcome !== 'sent-again' || second.outcome !== 'sent-again') throw new Error(`${first.outcome} ${second.outcome}`);
    expect(await steps.commit(first.committable)).toMatchObject({ outcome: 'doubtful' });
    expect(await steps.commit(second.committable)).toEqual({ outcome: 'committed' });
    expect(await committedValues(under, topic, 6)).toEqual(['a']);
  });

  it('a decided transaction that was committed is known to be, though its producer was fenced since', async () => {
    const [job, topic] = [under.newName(), await under.newTopic()];
    const done = await steps.prepare(job, topic, { 0: ['a'] });
    expect(await steps.commit(done)).toEqual({ outcome: 'committed' });
    await steps.settle(done.transactionalId, topic);
    expect(await steps.commit(done)).toEqual({ outcome: 'committed' });
    expect(await steps.resolve(done, topic, { 0: ['a'] })).toEqual({ outcome: 'committed' });
    expect(await committedValues(under, topic, 2)).toEqual(['a']);
  });

  it('what became of a transaction is seen after later ones of the same id, committed and aborted', async () => {
    const [job, topic] = [under.newName(), await under.newTopic()];
    const aborted = await steps.prepare(job, topic, { 0: ['a'] });
    const committed = await steps.prepare(job, topic, { 0: ['b'] });
    await steps.commit(committed);
    const later = await steps.prepare(job, topic, { 0: ['c'] });
    await steps.abort(later);
    await steps.commit(await steps.prepare(job, topic, { 0: ['d'] }));
    expect(await committedValues(under, topic, 8)).toEqual(['b', 'd']);
    expect([await steps.fates(aborted), await steps.fates(committed), await steps.fates(later)]).toEqual([
      ['aborted'],
      ['committed'],
      ['aborted'],
    ]);
    expect([await steps.fates(aborted, [topic]), await steps.fates(committed, [topic])]).toEqual([['aborted'], ['committed']]);
  });

  it("what became of a transaction is seen behind another producer's open one, and when one begins right behind it", async () => {
    const topic = await under.newTopic();
    const [before, job, behind] = [under.newName(), under.newName(), under.newName()];
    const older = await steps.prepare(before, topic, { 0: ['older'] });
    const aborted = await steps.prepare(job, topic, { 0: ['a'] });
    const adjacent = await steps.prepare(behind, topic, { 0: ['adjacent'] });
    expect(await steps.fates(aborted)).toEqual(['undecided']);
    await steps.abort(aborted);
    expect(await steps.ended(aborted)).toEqual(['aborted']);
    expect(await steps.commit(older)).toEqual({ outcome: 'committed' });
    // Now the last stable offset is right behind it.
    expect(await steps.fates(aborted)).toEqual(['aborted']);
    const committed = await steps.prepare(job, topic, { 0: ['b'] });
    expect(await steps.commit(committed)).toEqual({ outcome: 'committed' });
    expect(await steps.fates(adjacent)).toEqual(['undecided']);
    expect(await steps.commit(adjacent)).toEqual({ outcome: 'committed' });
    expect(await committedValues(under, topic, 8)).toEqual(['older', 'adjacent', 'b']);
  });

  it('what became of a transaction is seen where the next batch is larger than a look asks for', async () => {
    const topic = await under.newTopic(2);
    const [job, other] = [under.newName(), under.newName()];
    const aborted = await steps.prepare(job, topic, { 0: ['a'], 1: ['b'] });
    await steps.commit(await steps.prepare(other, topic, { 0: ['x'.repeat(200_000)], 1: ['y'.repeat(200_000)] }));
    await steps.abort(aborted);
    expect(await steps.ended(aborted)).toEqual(['aborted', 'aborted']);
  });

  it('a transaction in whose place the log holds something else has no evidence', async () => {
    const [job, other, topic] = [under.newName(), under.newName(), await under.newTopic()];
    await steps.commit(await steps.prepare(other, topic, { 0: ['x', 'y'] }));
    const done = await steps.prepare(job, topic, { 0: ['a'] });
    const anew = { ...done, written: [{ topic, partition: 0, first: 0, last: 1 }] };
    expect(await steps.commit(anew)).toMatchObject({ outcome: 'doubtful', why: expect.stringContaining('no-evidence') });
    expect(await steps.resolve(anew, topic, { 0: ['a'] })).toMatchObject({ outcome: 'no-evidence' });
  });

  it('nor has one in whose place somebody else has a transaction open', async () => {
    const [job, other, topic] = [under.newName(), under.newName(), await under.newTopic()];
    const open = await steps.prepare(other, topic, { 0: ['x', 'y'] });
    // Of a topic that was made anew: the other's first record is where ours was.
    const own = await steps.prepare(job, await under.newTopic(), { 0: ['a', 'b'] });
    const anew = { ...own, written: [{ topic, partition: 0, first: 0, last: 1 }] };
    expect(await steps.resolve(anew, topic, { 0: ['a', 'b'] })).toMatchObject({
      outcome: 'no-evidence',
      message: expect.stringContaining('cannot be told'),
    });
    await steps.abort(open);
  });

  it('nor has one behind whose place the log ends', async () => {
    const [job, other, topic] = [under.newName(), under.newName(), await under.newTopic()];
    await steps.commit(await steps.prepare(other, topic, { 0: ['x', 'y'] }));
    const done = await steps.prepare(job, topic, { 0: ['a'] });
    await steps.commit(done);
    // Two records, the control record, ours, its control record: the log ends at 5.
    const anew = { ...done, producerId: '999999', written: [{ topic, partition: 0, first: 3, last: 4 }] };
    expect(await steps.resolve(anew, topic, { 0: ['a'] })).toMatchObject({ outcome: 'no-evidence' });
  });

  it('a transaction of which nothing is in the log any more has no evidence', async () => {
    const [job, topic] = [under.newName(), await under.newTopic()];
    const done = await steps.prepare(job, topic, { 0: ['a'] });
    const anew = { ...done, written: [{ topic, partition: 0, first: 40, last: 50 }] };
    expect(await steps.fates(anew)).toEqual(['no-evidence']);
    expect(await steps.resolve(anew, topic, { 0: ['a'] })).toMatchObject({
      outcome: 'no-evidence',
      message: expect.stringContaining(`topic ${topic}, partition 0, offsets 40 to 50`),
    });
    expect(await steps.resolve(anew, topic, { 0: ['a'] }, undefined, [], 'committed')).toEqual({ outcome: 'committed' });
    expect(await steps.resolve(anew, topic, { 0: ['a'] }, undefined, [], 'lost')).toMatchObject({ outcome: 'sent-again' });
  });
}
