import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file of a module of ours, named without its ending, as seen from `url`: TypeScript in a checkout, JavaScript in the package. */
export function ownModule(name: string, url: string): string {
  return fileURLToPath(new URL(`${name}${extname(url)}`, url));
}
