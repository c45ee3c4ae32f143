import { describe, expect, it, vi } from 'vitest';
import { createMskTokens } from '../../../lib/aws/msk-token.ts';

const MINUTE = 60_000;

describe("a token for MSK's IAM login", () => {
  it('is a signed request for kafka-cluster:Connect in the region, good for 15 minutes, without the secret key', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hunter2-hunter2');
    vi.stubEnv('AWS_SESSION_TOKEN', 'a-session');
    try {
      const { value } = await createMskTokens({ region: 'eu-west-1', clock: { now: () => Date.now() } })();
      expect(value).toMatch(/^[A-Za-z0-9_-]+$/);
      const url = new URL(Buffer.from(value, 'base64url').toString());
      expect(url.host).toBe('kafka.eu-west-1.amazonaws.com');
      expect(Object.fromEntries(url.searchParams)).toMatchObject({
        Action: 'kafka-cluster:Connect',
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Credential': expect.stringMatching(/^AKIDEXAMPLE\/\d{8}\/eu-west-1\/kafka-cluster\/aws4_request$/),
        'X-Amz-Security-Token': 'a-session',
        'X-Amz-Expires': '900',
        'X-Amz-SignedHeaders': 'host',
        'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(url.href).not.toContain('hunter2');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('serves every connection until a minute before it expires', async () => {
    let nowMs = 1_000_000;
    let signed = 0;
    const tokens = createMskTokens({
      region: 'eu-west-1',
      clock: { now: () => nowMs },
      sign: async (region) => ({ token: `${region} ${++signed}`, expiryTime: nowMs + 15 * MINUTE }),
    });
    expect((await Promise.all([tokens(), tokens()])).map(({ value }) => value)).toEqual(['eu-west-1 1', 'eu-west-1 1']);
    nowMs += 14 * MINUTE - 1;
    expect((await tokens()).value).toBe('eu-west-1 1');
    nowMs += 1;
    expect((await tokens()).value).toBe('eu-west-1 2');
  });

  it('is asked for again after a failure', async () => {
    let calls = 0;
    const tokens = createMskTokens({
      region: 'eu-west-1',
      clock: { now: () => 0 },
      sign: async () => {
        if (++calls === 1) throw new Error('no credentials');
        return { token: 'good', expiryTime: MINUTE };
      },
    });
    await expect(tokens()).rejects.toThrow('no credentials');
    expect((await tokens()).value).toBe('good');
  });
});
