import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { requireEnv } from '../support/require-env.ts';
import { uniqueName } from '../support/topics.ts';

const COMMAND = fileURLToPath(new URL('../../examples/run.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly shown: readonly string[];
  readonly said: string;
}

/** `npm run example -- NAME` on the stack's broker. @param uids of the sources and sinks, each of which gets a topic of its own */
async function example(name: string, uids: readonly string[]): Promise<Ended> {
  const topics = uids.map((uid) => `${uid}=${uniqueName(uid)}`).join(',');
  const own = { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };
  const env = { ...own, NO_COLOR: '1', ONCEFLOW_BROKERS: requireEnv('ONCEFLOW_BROKERS'), ONCEFLOW_TOPICS: topics };
  const child = spawn(process.execPath, [COMMAND, name], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [shown, said] = ['', ''];
  child.stdout.on('data', (chunk) => (shown += chunk));
  child.stderr.on('data', (chunk) => (said += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said, shown: shown.split('\n').slice(0, -1).toSorted() };
}

it('the fraud example runs, prints what its page says, and ends', async () => {
  const { code, shown, said } = await example('fraud', ['read-payments', 'read-limits', 'write-alerts']);
  expect({ code, shown }, said).toEqual({
    code: 0,
    shown: [
      'card 0815 paid 501 in NO, where the limit is 500',
      'card 4711 paid 230 in PT, where the limit is 200',
      'card 4711 paid 800 in NO, where the limit is 500',
    ],
  });
});

it('the example of the exchange rate runs, prints what its page says, and ends', async () => {
  const { code, shown, said } = await example('exchange-rate', ['read-orders', 'read-rates', 'write-orders']);
  expect({ code, shown }, said).toEqual({
    code: 0,
    shown: [
      'order a: 100 USD are 90.00 EUR',
      'order b: 100 USD are 90.00 EUR',
      'order c: 1000 NOK are 85.00 EUR',
      'order d: 100 USD are 95.00 EUR',
    ],
  });
});

it('a name that is none is refused with those that are', async () => {
  const { code, said } = await example('frauds', []);
  expect(code).toBe(2);
  expect(said).toBe(
    'npm run example: takes one of word-count, revenue, fraud, sessions, orders-payments, exchange-rate, changes, top-words, silence, and was given frauds\n',
  );
});
