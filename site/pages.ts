import { existsSync, globSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Everything that the site shows, from the root of the checkout. Of these `docs/README.md` lists those of `docs`. */
export const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/README.md',
  'model/README.md',
  ...globSync('docs/**/*.md', { cwd: ROOT })
    .map((file) => file.split(sep).join('/'))
    .sort(),
];
const pages = new Set(PAGES);

/** Where a page is in the site. A folder's `README.md` is its index. */
export function addressOf(page: string): string {
  return `/${page.replace(/(^|\/)README\.md$/, '$1').replace(/\.md$/, '.html')}`;
}

export type Target =
  /** Another page: its path in the site, with what stands behind `#`. */
  | { readonly kind: 'page'; readonly page: string; readonly anchor: string }
  /** A file of the repository that the site has as a copy. */
  | { readonly kind: 'file'; readonly file: string }
  /** A folder that has no page. */
  | { readonly kind: 'folder' }
  | { readonly kind: 'elsewhere'; readonly url: string }
  | { readonly kind: 'missing' };

/** What a link in a page leads to. */
export function targetOf(page: string, href: string): Target {
  if (/^[a-z][a-z+.-]*:/i.test(href)) return { kind: 'elsewhere', url: href };
  const [path = '', anchor = ''] = href.split('#');
  const file = path === '' ? page : posix.normalize(posix.join(posix.dirname(page), path)).replace(/\/$/, '');
  if (pages.has(file)) return { kind: 'page', page: file, anchor };
  if (pages.has(`${file}/README.md`)) return { kind: 'page', page: `${file}/README.md`, anchor };
  const there = join(ROOT, file);
  if (relative(ROOT, there).startsWith('..') || !existsSync(there)) return { kind: 'missing' };
  return posix.extname(file) === '' && file !== 'LICENSE' ? { kind: 'folder' } : { kind: 'file', file };
}

/** Where the copy of a file is: what a browser would run or save is shown as text. */
export function copyOf(file: string): string {
  return /\.(svg|png|json)$/.test(file) ? `files/${file}` : `files/${file}.txt`;
}
