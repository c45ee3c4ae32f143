import { NoAnswer } from './wire-request.ts';

export interface Told<Broker, T> {
  readonly from: Broker;
  readonly response: T;
}

export interface Patience<Broker> {
  /** Until a broker has had time enough, or the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
  /** Is told who has not answered by then. */
  onLate(broker: Broker): void;
}

/**
 * Asks one broker after the other until one answers. One that takes too long is still listened to, and the next is asked
 * beside it: the first answer counts. NoAnswer with all reasons when there is none; rejects as soon as `ask` does.
 */
export async function firstAnswer<Broker, T>(
  brokers: readonly Broker[],
  ask: (broker: Broker) => Promise<T | NoAnswer>,
  patience: Patience<Broker>,
): Promise<Told<Broker, T> | NoAnswer> {
  const first = Promise.withResolvers<Told<Broker, T>>();
  const reasons: string[] = [];
  const asked = async (broker: Broker): Promise<undefined> => {
    try {
      const response = await ask(broker);
      if (response instanceof NoAnswer) reasons.push(response.reason);
      else first.resolve({ from: broker, response });
    } catch (error) {
      first.reject(error);
    }
  };
  const underWay: Promise<undefined>[] = [];
  for (const broker of brokers) {
    const asking = asked(broker);
    underWay.push(asking);
    if (underWay.length === brokers.length) break;
    const told = await Promise.race([first.promise, unlessLate(broker, asking, patience)]);
    if (told !== undefined) return told;
  }
  return Promise.race([first.promise, Promise.all(underWay).then(() => new NoAnswer(reasons.join('; ')))]);
}

async function unlessLate<Broker>(broker: Broker, asking: Promise<undefined>, patience: Patience<Broker>): Promise<undefined> {
  const over = new AbortController();
  const late = patience.wait(over.signal).then(() => {
    if (!over.signal.aborted) patience.onLate(broker);
  });
  await Promise.race([asking, late]);
  over.abort();
}
