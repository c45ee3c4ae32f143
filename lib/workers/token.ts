import { createHash, timingSafeEqual } from 'node:crypto';

const TOKEN = /^[\x21-\x7e]{16,512}$/;
export const TOKENS_RULE = 'a file with a token a line, each of 16 to 512 letters, digits and signs without spaces';

/** The tokens in the text of a file; undefined when it does not keep TOKENS_RULE. */
export function tokensIn(text: string): readonly [string, ...string[]] | undefined {
  const [first, ...others] = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  if (first === undefined || ![first, ...others].every((token) => TOKEN.test(token))) return undefined;
  return [first, ...others];
}

/** What a request says that has this token. */
export function authorizationOf(token: string): string {
  return `Bearer ${token}`;
}

/**
 * Does a request that says this have one of the tokens? How long it takes tells nothing of them: digests of one length are compared,
 * and each of them.
 */
export function isAuthorized(authorization: string | undefined, tokens: readonly string[]): boolean {
  const given = digest(authorization ?? '');
  let isOne = false;
  for (const token of tokens) isOne = timingSafeEqual(given, digest(authorizationOf(token))) || isOne;
  return isOne;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
