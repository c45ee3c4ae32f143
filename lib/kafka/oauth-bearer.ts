import { type AuthenticationProvider, newDecoder, newEncoder } from './kafkajs-internals.ts';

/** Ends the broker's account of why it refused a token: the broker then answers with an error, as for any other login. */
const ACKNOWLEDGED = '\u0001';

/**
 * SASL OAUTHBEARER (RFC 7628). A broker that refuses the token answers the first message without an error code and with
 * the reason in its payload. kafkajs's own authenticator does not look at it, and takes the refusal for a success.
 */
export function oauthBearer(token: () => Promise<{ readonly value: string }>): AuthenticationProvider {
  return ({ saslAuthenticate }) => ({
    async authenticate() {
      const { value } = await token();
      const refusal = await saslAuthenticate(exchangeOf(`n,,\u0001auth=Bearer ${value}\u0001\u0001`));
      if (refusal === '') return;
      await saslAuthenticate(exchangeOf(ACKNOWLEDGED)).catch(() => {});
      throw new RefusedToken(`the broker refused the token: ${refusal}`);
    },
  });
}

/** What the broker says of a token that it does not take. */
export class RefusedToken extends Error {
  override readonly name = 'RefusedToken';
}

/** One message to the broker, and the text in its answer. */
function exchangeOf(text: string) {
  return {
    request: { encode: async () => newEncoder().writeBytes(Buffer.from(text)).buffer },
    response: {
      decode: async (payload: Buffer) => newDecoder(payload).readBytes()?.toString() ?? '',
      parse: async (answer: string) => answer,
    },
  };
}
