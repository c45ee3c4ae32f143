import { generateAuthToken } from 'aws-msk-iam-sasl-signer-js';
import type { Clock } from '../ports/clock.ts';

export interface MskToken {
  readonly value: string;
}

/** A token is good for 15 minutes at most; one that is about to expire is not sent any more. */
const RENEW_BEFORE_MS = 60_000;

/** What signs: the token, and when it expires in milliseconds since 1970. */
export type Sign = (region: string) => Promise<{ readonly token: string; readonly expiryTime: number }>;

/** The signer of MSK's own library, with the credentials of the process (of a function, its role's). */
const signWithCredentials: Sign = (region) => generateAuthToken({ region });

/**
 * Tokens for MSK's IAM login: a signed request, kafka-cluster:Connect, that the broker has checked. One token serves all
 * connections until it is about to expire; the signing is local, but credentials may have to be fetched.
 */
export function createMskTokens({
  region,
  clock,
  sign = signWithCredentials,
}: {
  readonly region: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly sign?: Sign;
}): () => Promise<MskToken> {
  let known: { readonly value: string; readonly expiresAtMs: number } | undefined;
  let signing: Promise<MskToken> | undefined;
  return async () => {
    if (known !== undefined && known.expiresAtMs - clock.now() > RENEW_BEFORE_MS) return known;
    signing ??= (async () => {
      const { token, expiryTime } = await sign(region);
      known = { value: token, expiresAtMs: expiryTime };
      return known;
    })().finally(() => {
      signing = undefined;
    });
    return signing;
  };
}
