// Read by VitePress (`npm run docs:site`). Without VitePress' own types, which are not there until the site is built.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, copyOf, PAGES, ROOT, targetOf } from '../pages.ts';
import { sidebar } from '../sidebar.ts';
import { slugOf } from '../slug.ts';

/** What is used of markdown-it. */
interface Token {
  readonly type: string;
  content: string;
  info: string;
  attrs: [string, string][] | null;
  children: Token[] | null;
}
interface State {
  src: string;
  readonly tokens: Token[];
  readonly env: { readonly relativePath?: string };
}
interface Markdown {
  readonly core: {
    readonly ruler: {
      push(name: string, rule: (state: State) => void): void;
      before(at: string, name: string, rule: (state: State) => void): void;
    };
  };
  readonly renderer: { readonly rules: Record<string, (tokens: Token[], index: number, ...others: unknown[]) => string> };
}

/** All words, and what explains before what lists: the API has most of the headings. */
const searchOptions = {
  fuzzy: 0.1,
  prefix: true,
  combineWith: 'AND',
  boostDocument: (id: string) => (/\/(reference|api)\//.test(id) ? 0.2 : 1),
};
const drawings = await drawingsIn(PAGES);

export default {
  title: 'Onceflow',
  description: 'Exactly-once stream processing in TypeScript, without a cluster',
  srcDir: '..',
  // Neither packages nor what tests and templates have.
  srcExclude: ['!(docs|bench|model|site)/**/*.md', 'site/!(reference)/**/*.md', 'bench/!(README.md)', 'docs/**/node_modules/**'],
  outDir: './dist',
  cacheDir: '../.onceflow/site/cache',
  base: process.env['SITE_BASE'] ?? '/',
  // By relative path from the root: a folder's README.md is its index.
  rewrites: (page: string) => page.replace(/(^|\/)README\.md$/, '$1index.md').replace(/^site\/reference\//, 'reference/'),
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  lastUpdated: false,
  markdown: {
    // `<NAME>` in a text is a text.
    html: false,
    linkify: false,
    anchor: { slugify: slugOf },
    headers: { slugify: slugOf },
    toc: { slugify: slugOf },
    theme: { light: 'github-light', dark: 'github-dark' },
    config(md: Markdown) {
      md.core.ruler.before('normalize', 'comments', (state) => {
        state.src = state.src.replace(/^<!--[\s\S]*?-->$/gm, '');
      });
      md.core.ruler.push('links', (state) => {
        const page = pageAt(state.env.relativePath);
        if (page !== undefined) for (const { children } of state.tokens) lead(page, children ?? []);
      });
      const fence = md.renderer.rules['fence'];
      md.renderer.rules['fence'] = (tokens, index, ...others) => {
        const token = tokens[index];
        const drawing = token?.info.trim() === 'mermaid' ? drawings.get(token.content) : undefined;
        return drawing ?? fence?.(tokens, index, ...others) ?? '';
      };
      // Commands are indented blocks: they scroll and are copied as others are.
      md.renderer.rules['code_block'] = (tokens, index, ...others) => {
        const token = tokens[index];
        if (token !== undefined) Object.assign(token, { type: 'fence', tag: 'code', info: 'txt' });
        return fence?.(tokens, index, ...others) ?? '';
      };
    },
  },
  themeConfig: {
    search: { provider: 'local', options: { miniSearch: { searchOptions } } },
    outline: [2, 3],
    sidebar: [...sidebar(), { text: 'The API with its docstrings', collapsed: false, items: entryPoints() }],
    nav: [
      { text: 'Start', link: addressOf('docs/getting-started.md') },
      { text: 'Concepts', link: addressOf('docs/concepts.md') },
      { text: 'Operators', link: addressOf('docs/operators/README.md') },
      { text: 'API', link: '/reference/' },
      { text: 'All pages', link: addressOf('docs/README.md') },
    ],
  },
  vite: { logLevel: 'warn', plugins: [vueOfTheSite()], build: { chunkSizeWarningLimit: 4_000 } },
};

/** Pages become modules that name `vue`, and lie where no package of the site is found: at the build what has been built finds it. */
function vueOfTheSite(): object {
  return {
    name: 'vue-of-the-site',
    enforce: 'pre',
    resolveId: (id: string, _importer: string | undefined, { ssr = false }: { readonly ssr?: boolean }) =>
      ssr && /^vue(\/|$)/.test(id) ? { id, external: true } : undefined,
  };
}

/** What TypeDoc has made. */
function entryPoints(): object[] {
  const made = new URL('../reference/', import.meta.url);
  return globSync('**/*.md', { cwd: made })
    .map((page) => ({
      text: /^# (?<name>.+)$/m.exec(readFileSync(new URL(page, made), 'utf8'))?.groups?.['name'] ?? page,
      link: `/reference/${page.replace(/index\.md$/, '').replace(/\.md$/, '.html')}`,
    }))
    .filter(({ link }) => link !== '/reference/')
    .sort((one, other) => one.text.localeCompare(other.text));
}

/** The source of a page of ours, by the path at which VitePress has it. */
function pageAt(relativePath: string | undefined): string | undefined {
  return PAGES.find((page) => page === relativePath || page.replace(/README\.md$/, 'index.md') === relativePath);
}

/** Links of one paragraph: to pages at their addresses, to files at their copies, to folders not at all. */
function lead(page: string, tokens: Token[]): void {
  let isDropped = false;
  for (const token of tokens) {
    if (token.type === 'link_close' && isDropped) {
      isDropped = false;
      asNothing(token);
    }
    const href = token.type === 'link_open' ? token.attrs?.find(([name]) => name === 'href') : undefined;
    // One of the same page stays as it is: search knows headings by the links that they have on themselves.
    if (href === undefined || href[1].startsWith('#')) continue;
    const target = targetOf(page, decodeURI(href[1]));
    if (target.kind === 'page') href[1] = `${addressOf(target.page)}${target.anchor === '' ? '' : `#${target.anchor}`}`;
    if (target.kind === 'file') href[1] = `/${copyOf(target.file)}`;
    if (target.kind === 'folder') {
      isDropped = true;
      asNothing(token);
    }
  }
}

function asNothing(token: Token): void {
  Object.assign(token, { type: 'text', tag: '', nesting: 0, content: '', attrs: null });
}

/** Every diagram as SVG, by its text. One that cannot be drawn ends the build. */
async function drawingsIn(pages: readonly string[]): Promise<ReadonlyMap<string, string>> {
  // As a module of the site, which is installed when this is run.
  const { renderMermaidSVG } = (await import('beautiful-mermaid' as string)) as { renderMermaidSVG(text: string, options: object): string };
  const colours = { bg: 'var(--vp-c-bg)', fg: 'var(--vp-c-text-1)', transparent: true };
  const texts = pages.flatMap((page) => [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```mermaid\n(?<text>[\s\S]*?)^```/gm)]);
  return new Map(
    texts.map(({ groups }) => {
      const text = groups?.['text'] ?? '';
      // It knows no coloured frames.
      const drawn = text.replace(/^ *rect .*\n([\s\S]*?)^ *end\n/gm, '$1');
      // The fonts of the page: the library would have the browser ask for its own.
      const svg = renderMermaidSVG(drawn, colours).replace(/@import url\([^)]*\);?/g, '');
      // As a value: Vue would take the elements of a template apart, and count the parts of a style otherwise than a browser.
      return [text, `<div class="drawing" v-html="${escaped(JSON.stringify(svg))}"></div>`];
    }),
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
