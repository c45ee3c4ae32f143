import { describe, expect, it } from 'vitest';
import { handler } from '../../../functions/coordinator.ts';

const context = { awsRequestId: 'r1', getRemainingTimeInMillis: () => 900_000 } as Parameters<typeof handler>[1];

describe("the coordinator's function", () => {
  it.each([undefined, null, 'start', {}, { ask: 'stop' }, { source: 'aws.events', 'detail-type': 'Scheduled Event' }])(
    'starts nothing for the payload %j, and says what it takes',
    async (payload) => {
      await expect(handler(payload, context)).rejects.toThrow(/it must be \{"ask":"start"\} or, from a schedule, \{"ask":"tick"\}/);
    },
  );

  it('names every wrong parameter when its deployment has none', async () => {
    await expect(handler({ ask: 'tick' }, context)).rejects.toThrow(
      /ONCEFLOW_JOB is not set.*ONCEFLOW_BROKERS is not set.*ONCEFLOW_BLOBS is not set/s,
    );
  });
});
