import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadedFromElsewhere } from '../../../site/built.ts';
import { linksIn } from '../../../site/links.ts';
import { addressOf, PAGES, targetOf } from '../../../site/pages.ts';
import { addressesIn, sidebar } from '../../../site/sidebar.ts';
import { headingsIn, slugsOf } from '../../../site/slug.ts';

const read = (page: string) => readFileSync(page, 'utf8');

it('the list of pages, which is the sidebar, has every page of docs, and each once', () => {
  const listed = addressesIn(sidebar());
  expect(listed.toSorted()).toEqual([...new Set(listed)].toSorted());
  const all = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md').map(addressOf);
  expect(all.length).toBeGreaterThan(90);
  expect(listed.toSorted()).toEqual(all.toSorted());
});

const anchors = new Map(PAGES.map((page) => [page, new Set(slugsOf(headingsIn(read(page))))]));

it.each(PAGES)('%s leads to pages, headings and files that there are', (page) => {
  const wrong = linksIn(page).filter((href) => {
    const target = targetOf(page, href);
    if (target.kind === 'missing') return true;
    return target.kind === 'page' && target.anchor !== '' && anchors.get(target.page)?.has(target.anchor) !== true;
  });
  expect(wrong).toEqual([]);
});

it('a link to another host is a source that a person follows: it is https', () => {
  const elsewhere = PAGES.flatMap((page) => linksIn(page).flatMap((href) => (targetOf(page, href).kind === 'elsewhere' ? [href] : [])));
  expect(elsewhere.length).toBeGreaterThan(20);
  expect(elsewhere.filter((href) => !href.startsWith('https://'))).toEqual([]);
});

it.each([
  ['a.html', '<script src="https://cdn.example/a.js"></script>', 'https://cdn.example/a.js'],
  ['a.html', '<link rel="stylesheet" href="//fonts.example/a.css">', '//fonts.example/a.css'],
  ['a.html', '<p><img alt="" src=https://pictures.example/a.png></p>', 'https://pictures.example/a.png'],
  ['a.css', "@import url('https://fonts.example/inter.css');", 'https://fonts.example/inter.css'],
  ['a.css', '@font-face { src: url(https://fonts.example/inter.woff2) }', 'https://fonts.example/inter.woff2'],
  ['a.svg', '<svg><style>@import "https://fonts.example/inter.css"</style></svg>', 'https://fonts.example/inter.css'],
  ['a.js', 'const a = import("https://cdn.example/a.js")', 'https://cdn.example/a.js'],
])('%s that has %s would be loaded from another host', (file, text, url) => {
  expect(loadedFromElsewhere(file, text)).toContain(url);
});

it.each([
  ['a.html', '<a href="https://flink.apache.org">Flink</a> <link rel="icon" href="data:,"> <script src="/assets/a.js"></script>'],
  ['a.css', '.a { background: url(data:image/svg+xml;utf8,a) } .b { src: url(/assets/a.woff2) }'],
  ['a.svg', '<svg xmlns="http://www.w3.org/2000/svg"></svg>'],
])('%s that has %s is loaded from the site alone', (file, text) => {
  expect(loadedFromElsewhere(file, text)).toEqual([]);
});
