import { type ActionName, isAction } from './actions.ts';
import { PANELS, type Query } from './panels.ts';

/** What a request asks for. */
export type Route =
  | { readonly asks: 'file'; readonly path: string }
  | { readonly asks: 'panel'; readonly panel: keyof typeof PANELS; readonly query: Query }
  | { readonly asks: 'action'; readonly action: ActionName }
  | { readonly asks: 'nothing'; readonly status: 404 | 405; readonly why: string };

/** @param url path and query as the request has them */
export function routeOf(method: string | undefined, url: string): Route {
  const [path = '/', search = ''] = url.split('?', 2);
  const [, kind, name = ''] = /^\/(panels|actions)\/([a-z]+)$/.exec(path) ?? [];
  if (kind === 'actions') {
    if (!isAction(name)) return nothing(404, `there is no action ${name}`);
    return method === 'POST' ? { asks: 'action', action: name } : nothing(405, 'an action is asked for by POST');
  }
  if (method !== 'GET') return nothing(405, 'this is read by GET');
  if (kind === undefined) return { asks: 'file', path };
  if (!Object.hasOwn(PANELS, name)) return nothing(404, `there is no panel ${name}`);
  return { asks: 'panel', panel: name as keyof typeof PANELS, query: Object.fromEntries(new URLSearchParams(search)) };
}

function nothing(status: 404 | 405, why: string): Route {
  return { asks: 'nothing', status, why };
}
