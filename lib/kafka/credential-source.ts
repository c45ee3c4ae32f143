import { ageMs, type Moment, momentOf, type Reading } from '../ports/age.ts';
import type { CredentialSource, Credentials } from '../ports/credentials.ts';
import { StoreProblem } from '../ports/store-problem.ts';

export interface CredentialSourceOptions {
  /** Reads the text: a file, or a secret. Throws a `StoreProblem`. */
  readonly read: () => Promise<string>;
  /** What is read, and the option that names it. */
  readonly origin: string;
  /** How long what was read is used. */
  readonly ttlMs: number;
  readonly clock: Reading;
}

/** Connections that are refused one after another do not ask for the secret more often. */
const REREAD_PAUSE_MS = 1_000;

/**
 * User and password out of a JSON text, kept in memory. A rotated secret is found when a login is refused, or when the
 * time to live is over, whichever comes first.
 */
export function createCredentialSource({ read, origin, ttlMs, clock }: CredentialSourceOptions): CredentialSource {
  let known: { readonly credentials: Credentials; readonly read: Moment } | undefined;
  let reading: Promise<Credentials> | undefined;

  /** One read for all who ask meanwhile. */
  function readAgain(): Promise<Credentials> {
    reading ??= (async () => {
      const credentials = parsed(await read(), origin);
      known = { credentials, read: momentOf(clock) };
      return credentials;
    })().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    async current() {
      if (known === undefined) return readAgain();
      if (ageMs(clock, known.read) < ttlMs) return known.credentials;
      const stale = known.credentials;
      // The brokers decide whether they still hold; who keeps the secret may be down without the job being so.
      return readAgain().catch(() => stale);
    },
    async renewed(refused) {
      // Another connection may have found out before.
      const isKnown = known !== undefined && same(known.credentials, refused);
      if (known !== undefined && !isKnown) return known.credentials;
      if (known !== undefined && ageMs(clock, known.read) < REREAD_PAUSE_MS) return undefined;
      const credentials = await readAgain();
      return same(credentials, refused) ? undefined : credentials;
    },
    username: () => known?.credentials.username,
  };
}

function same(one: Credentials, other: Credentials): boolean {
  return one.username === other.username && one.password === other.password;
}

/** The parser's own message is left out: it quotes the text. */
function parsed(text: string, origin: string): Credentials {
  const { username, password } = objectIn(text);
  if (isText(username) && isText(password)) return { username, password };
  throw new StoreProblem(
    `${origin} does not hold user and password: it must be JSON, {"username": …, "password": …}, both of them text and not empty`,
    false,
  );
}

function objectIn(text: string): { readonly username?: unknown; readonly password?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
