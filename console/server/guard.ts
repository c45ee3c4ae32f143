import { isAuthorized } from '../../lib/workers/token.ts';

/** What of a request says who asks. */
export interface Asker {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`, which a page cannot set. Undefined: what asks is no browser, or an old one. */
  readonly site: string | undefined;
  readonly authorization: string | undefined;
  /** The header that only a script of this origin can send. */
  readonly intent: string | undefined;
  readonly contentType: string | undefined;
}

/** `file`: the page itself, which says nothing of the job. `panel`: reads. `action`: changes something. */
export type Asks = 'file' | 'panel' | 'action';

export type Verdict = { readonly may: true } | { readonly may: false; readonly status: 401 | 403 | 415 | 421; readonly why: string };

/** The header of a request that acts, and what it says. */
export const INTENT_HEADER = 'x-onceflow-console';
export const INTENT = 'act';

const ALLOWED: Verdict = { may: true };

/**
 * May this be asked? Each line holds by itself: a name that was made to lead here (DNS rebinding) has another host; another page has another origin,
 * and no token; a form has neither the header nor JSON.
 */
export function mayAsk(asks: Asks, asker: Asker, own: { readonly port: number; readonly token: string }): Verdict {
  const { host, origin, site } = asker;
  if (host !== `127.0.0.1:${own.port}` && host !== `localhost:${own.port}`)
    return refuse(421, 'the console answers at the address that the command printed, and at no other name');
  if (origin !== undefined && origin !== `http://${host}`) return refuse(403, 'another page asks: the console answers its own page alone');
  if (asks === 'file') return ALLOWED;
  if (site !== undefined && site !== 'same-origin') return refuse(403, 'another site asks: the console answers its own page alone');
  if (!isAuthorized(asker.authorization, [own.token]))
    return refuse(401, 'there is no token, or one of another console: open the address that the command printed');
  if (asks === 'panel') return ALLOWED;
  if (origin === undefined || asker.intent !== INTENT)
    return refuse(403, `what acts says from where (Origin) and that it means to (${INTENT_HEADER}: ${INTENT})`);
  if (asker.contentType !== 'application/json') return refuse(415, 'what acts is asked for in JSON');
  return ALLOWED;
}

function refuse(status: Exclude<Verdict, { readonly may: true }>['status'], why: string): Verdict {
  return { may: false, status, why };
}
