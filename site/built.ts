import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of what a browser loads by itself: scripts, styles, images, fonts, frames. Links that a person follows are none. */
const LOADED = [
  /<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\ssrc=["']?(?<url>(?:https?:)?\/\/[^"'\s>]+)/g,
  /<link\b[^>]*\shref=["']?(?<url>(?:https?:)?\/\/[^"'\s>]+)/g,
  /<image\b[^>]*\shref=["']?(?<url>(?:https?:)?\/\/[^"'\s>]+)/g,
  /@import\s+(?:url\()?["']?(?<url>(?:https?:)?\/\/[^"')\s;]+)/g,
  /url\(["']?(?<url>(?:https?:)?\/\/[^"')\s]+)/g,
];
/** Of a script: what it would load when it runs. */
const CALLED = [/\bimport\(["'`](?<url>https?:\/\/[^"'`]+)/g, /\bfetch\(["'`](?<url>https?:\/\/[^"'`]+)/g];

/** What a text of the site would load from another host. */
export function loadedFromElsewhere(name: string, text: string): string[] {
  const patterns = name.endsWith('.js') ? CALLED : LOADED;
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(({ groups }) => groups?.['url'] ?? ''));
}

/** Of everything in a folder that was built, with the file. Code blocks are text in it, and escaped. */
export function referencesElsewhere(folder: string): string[] {
  return globSync('**/*.{html,css,js,svg}', { cwd: folder }).flatMap((file) =>
    loadedFromElsewhere(file, readFileSync(join(folder, file), 'utf8')).map((url) => `${file}: ${url}`),
  );
}
