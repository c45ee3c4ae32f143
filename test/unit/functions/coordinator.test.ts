import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { handler } from '../../../functions/coordinator.ts';
import { writtenLines } from '../../support/written-lines.ts';

const context = { awsRequestId: 'r1', getRemainingTimeInMillis: () => 900_000 } as Parameters<typeof handler>[1];

afterEach(() => vi.unstubAllEnvs());

describe("the coordinator's function", () => {
  it.each([
    undefined,
    null,
    'start',
    {},
    { ask: 'stop' },
    { ask: 'start', askedAt: 'yesterday' },
    { ask: 'start', askedAt: 7 },
    { ask: 'start', at: {} },
    { ask: 'start', at: { at: { epoch: -1 }, drop: [], onWrittenAgain: 'allow' } },
    { source: 'aws.events', 'detail-type': 'Scheduled Event' },
  ])('starts nothing for the payload %j, and says what it takes', async (payload) => {
    await expect(handler(payload, context)).rejects.toThrow(/it must be \{"ask":"start"\}, with .* or, from a schedule, \{"ask":"tick"\}/);
  });

  it('starts nothing for a start that comes hours late, and logs why', async () => {
    vi.stubEnv('ONCEFLOW_JOB', './jobs/word-count.ts');
    vi.stubEnv('ONCEFLOW_BROKERS', '127.0.0.1:1');
    vi.stubEnv('ONCEFLOW_BLOBS', `file://${join(tmpdir(), 'onceflow-nothing-is-written-here')}`);
    // Whoever asked the table would wait for it.
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
    const late = { ask: 'start', askedAt: new Date(Date.now() - 3 * 3_600_000).toISOString() };
    const lines = await writtenLines(async () => {
      expect(await handler(late, context)).toMatchObject({ end: 'refused', message: expect.stringContaining('Nothing was started') });
    });
    expect(lines).toContainEqual(expect.objectContaining({ message: expect.stringContaining('Nothing was started') }));
  });

  it('names every wrong parameter when its deployment has none', async () => {
    await expect(handler({ ask: 'tick' }, context)).rejects.toThrow(
      /ONCEFLOW_JOB is not set.*ONCEFLOW_BROKERS is not set.*ONCEFLOW_BLOBS is not set/s,
    );
  });
});
