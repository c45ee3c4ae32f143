import { describe, expect, it } from 'vitest';
import { type Asker, type Asks, mayAsk } from '../../../console/server/guard.ts';

const own = { port: 4000, token: 'a-token-of-this-console' };
const page: Asker = {
  host: '127.0.0.1:4000',
  origin: 'http://127.0.0.1:4000',
  site: 'same-origin',
  authorization: `Bearer ${own.token}`,
  intent: 'act',
  contentType: 'application/json',
};

function verdict(asks: Asks, change: Partial<Asker> = {}) {
  const found = mayAsk(asks, { ...page, ...change }, own);
  return found.may ? 'may' : found.status;
}

describe('the console answers', () => {
  it('its own page, at both names of this machine', () => {
    for (const asks of ['file', 'panel', 'action'] as const) {
      expect(verdict(asks)).toBe('may');
      expect(verdict(asks, { host: 'localhost:4000', origin: 'http://localhost:4000' })).toBe('may');
    }
  });

  it('a browser that sends no Origin with what it reads, and a script with the token', () => {
    expect(verdict('panel', { origin: undefined })).toBe('may');
    expect(verdict('panel', { origin: undefined, site: undefined })).toBe('may');
  });
});

describe('the console does not answer', () => {
  it.each(['evil.example:4000', '127.0.0.1', '127.0.0.1:4001', 'localhost.evil.example:4000', '[::1]:4000', undefined])(
    'at the host %s, also not its files: a name may be made to lead here',
    (host) => {
      for (const asks of ['file', 'panel', 'action'] as const) expect(verdict(asks, { host })).toBe(421);
    },
  );

  it.each(['https://evil.example', 'http://127.0.0.1:4001', 'http://localhost:4000', 'null', ''])('another origin: %s', (origin) => {
    for (const asks of ['file', 'panel', 'action'] as const) expect(verdict(asks, { origin })).toBe(403);
  });

  it.each(['cross-site', 'same-site', 'none'])('a request that the browser says is %s', (site) => {
    for (const asks of ['panel', 'action'] as const) expect(verdict(asks, { site, origin: undefined })).toBe(403);
  });

  it.each([undefined, '', 'Bearer', `Bearer ${own.token}x`, `Bearer ${own.token.slice(1)}`, `Basic ${own.token}`, own.token])(
    'what has no token of it: %s',
    (authorization) => {
      for (const asks of ['panel', 'action'] as const) expect(verdict(asks, { authorization })).toBe(401);
    },
  );

  it('what acts and does not say from where, or that it means to, or sends a form', () => {
    expect(verdict('action', { origin: undefined })).toBe(403);
    expect(verdict('action', { intent: undefined })).toBe(403);
    for (const contentType of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
      expect(verdict('action', { contentType })).toBe(415);
  });
});
