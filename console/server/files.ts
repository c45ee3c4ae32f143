import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file that the page is made of. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** Where the page is: in a checkout as TypeScript, in the package as JavaScript. */
const PAGE = new URL('../page/', import.meta.url);
/** What the page shares with the commands, each under the path that the page's own imports lead to. */
const SHARED = /^\/(lib\/inspect\/duration)\.(?:js|ts)$/;
const ROOT = new URL('../../', import.meta.url);
const PATH = /^\/page\/((?:[a-z0-9-]+\/)?[a-z0-9-]+)\.(js|ts|css|svg)$/;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
};

/** The libraries of the page: what an import calls them, at which path they are, and which file of their package that is. */
const LIBRARIES = [
  { name: 'preact', path: '/library/preact.js', file: 'preact' },
  { name: 'preact/hooks', path: '/library/preact-hooks.js', file: 'preact/hooks' },
  { name: 'htm', path: '/library/htm.js', file: 'htm' },
  { name: 'uplot', path: '/library/uplot.js', file: 'uplot/dist/uPlot.esm.js' },
  { name: undefined, path: '/library/uplot.css', file: 'uplot/dist/uPlot.min.css' },
] as const;

/** Reads each file once. Undefined: the page has none there. */
export function createPageFiles(): (path: string) => Promise<PageFile | undefined> {
  const known = new Map<string, Promise<PageFile | undefined>>();
  return (path) => {
    const reading = known.get(path) ?? readPageFile(path);
    // A path that is none is not kept: anybody may ask for any number of them.
    void reading.then((file) => file !== undefined && known.set(path, reading));
    return reading;
  };
}

async function readPageFile(path: string): Promise<PageFile | undefined> {
  if (path === '/') return fileAt(new URL('index.html', PAGE));
  const library = LIBRARIES.find((each) => each.path === path);
  if (library !== undefined) return fileAt(new URL(import.meta.resolve(library.file)));
  const [, shared] = SHARED.exec(path) ?? [];
  if (shared !== undefined) return moduleAt(shared, ROOT);
  const [, name, ending] = PATH.exec(path) ?? [];
  if (name === undefined) return undefined;
  if (ending === 'css' || ending === 'svg') return fileAt(new URL(`${name}.${ending}`, PAGE));
  return moduleAt(name, PAGE);
}

async function moduleAt(name: string, within: URL): Promise<PageFile | undefined> {
  return fileAt(new URL(`${name}.js`, within)) ?? translated(new URL(`${name}.ts`, within));
}

function fileAt(url: URL): PageFile | undefined {
  const text = textAt(url);
  if (text === undefined) return undefined;
  const ending = extname(url.pathname);
  const type = TYPES[ending] ?? TYPES['.js'] ?? '';
  return { type, text: type.startsWith('text/javascript') ? withPaths(text) : text };
}

/** Node takes the types out, as it does for everything else of a checkout. */
async function translated(url: URL): Promise<PageFile | undefined> {
  const text = textAt(url);
  if (text === undefined) return undefined;
  const { stripTypeScriptTypes } = await import('node:module');
  const { emitWarning } = process;
  // That it is young is known, and nothing that a person at the console can change.
  process.emitWarning = () => {};
  try {
    return { type: TYPES['.js'] ?? '', text: withPaths(stripTypeScriptTypes(text)) };
  } finally {
    process.emitWarning = emitWarning;
  }
}

function textAt(url: URL): string | undefined {
  try {
    return readFileSync(fileURLToPath(url), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A browser knows no packages, and an import map would have to be inline. */
function withPaths(text: string): string {
  return text.replaceAll(/\b(from|import)\s*(["'])([a-z][a-z/]*)\2/g, (whole, word: string, _quote: string, name: string) => {
    const library = LIBRARIES.find((each) => each.name === name);
    return library === undefined ? whole : `${word} '${library.path}'`;
  });
}
