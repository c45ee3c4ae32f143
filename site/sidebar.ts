import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { addressOf, ROOT, targetOf } from './pages.ts';

export interface SidebarItem {
  readonly text: string;
  readonly link?: string;
  readonly collapsed?: boolean;
  readonly items?: readonly SidebarItem[];
}

const LIST = 'docs/README.md';

/** As docs/README.md has it: a group for each heading. A page that is the index of a folder has the pages that its tables name below it. */
export function sidebar(): SidebarItem[] {
  const [, ...groups] = read(LIST).split(/^## /m);
  return groups.map((group) => {
    const [heading = ''] = group.split('\n');
    const items = [...group.matchAll(/^- \[(?<text>[^\]]+)\]\((?<href>[^)]+)\)/gm)].map(({ groups: of }) =>
      itemOf(LIST, of?.['text'] ?? '', of?.['href'] ?? ''),
    );
    return { text: heading, collapsed: false, items };
  });
}

function itemOf(from: string, text: string, href: string): SidebarItem {
  const target = targetOf(from, href);
  if (target.kind !== 'page') throw new Error(`${from} lists ${href}, which is no page: correct the link`);
  const { page } = target;
  const link = addressOf(page);
  return posix.basename(page) === 'README.md' ? { text, link, collapsed: true, items: pagesNamedBy(page) } : { text, link };
}

/** Those of its own folder, by the first link to each. */
function pagesNamedBy(index: string): SidebarItem[] {
  const found = new Map<string, SidebarItem>();
  for (const { groups } of read(index).matchAll(/^\|(?<before>.*)\[(?<text>[^\]]+)\]\((?<href>[^)/#]+\.md)\)(?<behind>.*)\|$/gm)) {
    const { text = '', href = '', behind = '' } = groups ?? {};
    const title = behind.replaceAll('|', '').replaceAll('`', '').trim();
    if (!found.has(href)) found.set(href, itemOf(index, title === '' ? text : `${text} ${title}`, href));
  }
  return [...found.values()];
}

/** Every page that the sidebar leads to, by its address. */
export function addressesIn(items: readonly SidebarItem[]): string[] {
  return items.flatMap(({ link, items: below = [] }) => [...(link === undefined ? [] : [link]), ...addressesIn(below)]);
}

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}
