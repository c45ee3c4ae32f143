import type { BrokerAddress } from '../config/broker-address.ts';
import type { CredentialSource } from '../ports/credentials.ts';
import { StoreProblem } from '../ports/store-problem.ts';
import { type BrokerConnection, type ConnectionOptions, LoginRefused, openConnection } from './connection.ts';
import { NoAnswer } from './wire-request.ts';

/** How a client logs in to every broker. */
export type SaslOptions =
  | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly credentials: CredentialSource }
  | { readonly mechanism: 'oauthbearer'; readonly token: () => Promise<{ readonly value: string }> };

/**
 * Connects, and logs in if there is a login. User and password that are refused are read again, once: they may have been
 * rotated since they were read.
 */
export async function connectAndLogIn(
  address: BrokerAddress,
  options: ConnectionOptions,
  sasl: SaslOptions | undefined,
): Promise<BrokerConnection | NoAnswer | LoginRefused> {
  if (sasl === undefined || sasl.mechanism === 'oauthbearer') return openConnection(address, options, sasl);
  const { mechanism, credentials } = sasl;
  try {
    const known = await credentials.current();
    const opened = await openConnection(address, options, { mechanism, ...known });
    if (!(opened instanceof LoginRefused) || opened.what !== 'login') return opened;
    const renewed = await credentials.renewed(known);
    return renewed === undefined ? opened : openConnection(address, options, { mechanism, ...renewed });
  } catch (error) {
    if (!(error instanceof StoreProblem)) throw error;
    return error.retriable ? new NoAnswer(error.message) : new LoginRefused('credentials', error.message);
  }
}

/**
 * Whether a refusal needs a person. Not once a login has succeeded, and not in a process that joins a running job: then
 * credentials or certificates are being changed, and the brokers and we do not learn of it at the same moment. A refusal that
 * is not final counts as no answer: what has to be repeated until the broker is up is repeated until it lets us in.
 */
export class Admission {
  #isFinal: boolean;

  constructor(refusalIsFinal: boolean) {
    this.#isFinal = refusalIsFinal;
  }

  granted(): void {
    this.#isFinal = false;
  }

  refusalIsFinal(): boolean {
    return this.#isFinal;
  }
}
