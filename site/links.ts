import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './pages.ts';

/** Where each link of a page leads, as it stands there. Code is no text. */
export function linksIn(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/`[^`\n]*`(?!\])/g, (code) => (code.includes('](') ? '' : code));
  return [...text.matchAll(/\]\((?<href>[^()\s]+(?:\([^()\s]*\)[^()\s]*)?)\)/g)].map(({ groups }) => groups?.['href'] ?? '');
}
