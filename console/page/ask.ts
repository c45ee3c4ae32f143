import type { ActionOutcome, Outcome } from '../server/outcome.ts';
import type { PanelAnswers } from '../server/panels.ts';

const STORED = 'onceflow-token';

/** The token came behind the # of the address. It is kept for this tab alone, so that a reload has it, and the address is not one to be copied by accident. */
function takeToken(): string | undefined {
  const given = location.hash.slice(1);
  if (/^[\w-]{40,}$/.test(given)) {
    sessionStorage.setItem(STORED, given);
    history.replaceState(null, '', '/');
  }
  return sessionStorage.getItem(STORED) ?? undefined;
}

const token = takeToken();

const NO_TOKEN =
  'This page has no token, or one of a console that has ended: open the address that "onceflow console" has printed, with all that is behind the #.';
const NO_ANSWER = 'The console does not answer: is "onceflow console" still running?';

export type Answer<T> = Outcome<T> | { readonly is: 'away' | 'refused'; readonly why: string };

/** Reads a panel. Whatever goes wrong is an answer too. */
export async function ask<Name extends keyof PanelAnswers>(
  panel: Name,
  query: Readonly<Record<string, string>>,
): Promise<Answer<PanelAnswers[Name]>> {
  if (token === undefined) return { is: 'refused', why: NO_TOKEN };
  const search = new URLSearchParams(query).toString();
  try {
    const response = await fetch(`/panels/${panel}${search === '' ? '' : `?${search}`}`, { headers: { authorization: `Bearer ${token}` } });
    if (response.status === 401) return { is: 'refused', why: NO_TOKEN };
    if (!response.ok) return { is: 'refused', why: await response.text() };
    return (await response.json()) as Outcome<PanelAnswers[Name]>;
  } catch {
    return { is: 'away', why: NO_ANSWER };
  }
}

/** Has something done. */
export async function act(action: string, body: object): Promise<ActionOutcome> {
  try {
    const response = await fetch(`/actions/${action}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'x-onceflow-console': 'act', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) return { is: 'refused', text: await response.text() };
    return (await response.json()) as ActionOutcome;
  } catch {
    return { is: 'failed', text: `${NO_ANSWER} What was asked for may have been done.` };
  }
}
