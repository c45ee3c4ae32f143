import { expect, it } from 'vitest';
import { startKafka } from '../../local/stack/kafka.ts';
import { openKeeper } from '../../local/stack/kept-process.ts';
import { BROKER_SETTINGS, runSession } from '../session/run-session.ts';
import { requireEnv } from '../support/require-env.ts';
import { uniqueName } from '../support/topics.ts';

const AWS = ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_EC2_METADATA_DISABLED'];

/** As it comes: each line of `console` has a head of its own here. */
const report = (line: string) => process.stderr.write(`${line}\n`);

it("a job's life by the command line, under load: savepoints, a change, a rehearsal, scaling by itself, kills, an export and a move leave every record there once", {
  timeout: 600_000,
}, async () => {
  const keeper = await openKeeper();
  try {
    const session = await runSession({
      kafka: await startKafka(keeper, { settings: BROKER_SETTINGS }),
      env: Object.fromEntries(AWS.map((name) => [name, requireEnv(name)])),
      name: uniqueName('session'),
      report,
    });
    expect(session.differences).toEqual({ totals: [], sizes: [] });
    expect(session.orders).toBeGreaterThan(1_000);
    expect(session.rescaled.some(({ from, to }) => to > from)).toBe(true);
    expect(session.rescaled.some(({ from, to }) => to < from)).toBe(true);
    report(session.chart);
  } finally {
    await keeper.close();
  }
});
