import { expect, it } from 'vitest';
import { firstAnswer } from '../../../lib/kafka/first-answer.ts';
import { NoAnswer } from '../../../lib/kafka/wire-request.ts';

/** Brokers that are answered for by the test, and a patience that ends when the test says so. */
function asking(brokers: readonly string[]) {
  const answers = new Map(brokers.map((broker) => [broker, Promise.withResolvers<string | NoAnswer>()]));
  const asked: string[] = [];
  const late: string[] = [];
  let over = Promise.withResolvers<void>();
  const answer = firstAnswer(
    brokers,
    (broker) => {
      asked.push(broker);
      return answers.get(broker)?.promise ?? Promise.reject(new Error(broker));
    },
    {
      wait: (signal) => Promise.race([over.promise, new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))]),
      onLate: (broker) => late.push(broker),
    },
  );
  answer.catch(() => {});
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    answer,
    asked,
    late,
    async answerFor(broker: string, response: string | NoAnswer) {
      answers.get(broker)?.resolve(response);
      await settled();
    },
    async failFor(broker: string, error: Error) {
      answers.get(broker)?.reject(error);
      await settled();
    },
    async patienceEnds() {
      over.resolve();
      over = Promise.withResolvers();
      await settled();
    },
  };
}

it('is of the first who is asked, and no other is asked', async () => {
  const { answer, answerFor, asked, late } = asking(['a', 'b']);
  await answerFor('a', 'yes');
  expect(await answer).toEqual({ from: 'a', response: 'yes' });
  expect([asked, late]).toEqual([['a'], []]);
});

it('is asked of the next at once when one has none', async () => {
  const { answer, answerFor, asked, late } = asking(['a', 'b']);
  await answerFor('a', new NoAnswer('a: down'));
  await answerFor('b', 'yes');
  expect(await answer).toEqual({ from: 'b', response: 'yes' });
  expect([asked, late]).toEqual([['a', 'b'], []]);
});

it('is asked of the next too when one is late, and counts from whoever gives it first', async () => {
  const { answer, answerFor, asked, late, patienceEnds } = asking(['a', 'b', 'c']);
  await patienceEnds();
  await patienceEnds();
  expect([asked, late]).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b'],
  ]);
  await answerFor('a', 'late');
  expect(await answer).toEqual({ from: 'a', response: 'late' });
});

it('is waited for from those who are late when the last has none', async () => {
  const { answer, answerFor, patienceEnds } = asking(['a', 'b']);
  await patienceEnds();
  await answerFor('b', new NoAnswer('b: down'));
  await answerFor('a', 'late');
  expect(await answer).toEqual({ from: 'a', response: 'late' });
});

it('is none when nobody has one, with the reasons of all', async () => {
  const { answer, answerFor, patienceEnds } = asking(['a', 'b']);
  await patienceEnds();
  await answerFor('b', new NoAnswer('b: down'));
  await answerFor('a', new NoAnswer('a: timed out'));
  expect(await answer).toEqual(new NoAnswer('b: down; a: timed out'));
});

it('of nobody is none', async () => {
  expect(await asking([]).answer).toEqual(new NoAnswer(''));
});

it('that is a refusal ends it at once', async () => {
  const { answer, failFor } = asking(['a', 'b']);
  await failFor('a', new Error('refused'));
  await expect(answer).rejects.toThrow('refused');
});
