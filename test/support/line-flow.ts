import { setTimeout as sleep } from 'node:timers/promises';
import { newProducer, send } from './topics.ts';
import { someLines } from './word-counts.ts';

export interface LineFlow {
  /** Everything that was sent, in order. */
  readonly lines: readonly string[];
  /** Resolves when the last line is acknowledged. */
  stop(): Promise<void>;
}

/** Lines into a topic, so many every 200 ms, until it is stopped. */
export async function startFlow(topic: string, linesAtATime: number): Promise<LineFlow> {
  const producer = await newProducer();
  const lines: string[] = [];
  let stopped = false;
  const flowing = (async () => {
    for (let seed = 1; !stopped; seed++) {
      const batch = someLines(linesAtATime, seed);
      await send(producer, topic, batch);
      lines.push(...batch);
      await sleep(200);
    }
  })();
  return {
    lines,
    async stop() {
      stopped = true;
      await flowing;
    },
  };
}
