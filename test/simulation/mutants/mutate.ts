import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** One change of a source text. `find` must be there exactly once; where it has white space, any amount of it may be. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Changes the sources as they are loaded from now on. The answer tells whether all edits were made. */
export function mutate(edits: readonly Edit[]): () => boolean {
  const left = new Set(edits);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.startsWith('file:')) return loaded;
      const file = fileURLToPath(url).slice(ROOT.length);
      let source: string | undefined;
      for (const edit of edits) {
        if (edit.file !== file) continue;
        source = apply(edit, source ?? String(loaded.source));
        left.delete(edit);
      }
      return source === undefined ? loaded : { ...loaded, source };
    },
  });
  return () => left.size === 0;
}

export function apply({ file, find, replace }: Edit, source: string): string {
  const pattern = new RegExp(tokensOf(find).map(escaped).join('\\s*'), 'g');
  const found = [...source.matchAll(pattern)];
  const [match] = found;
  if (match === undefined || found.length !== 1)
    throw new Error(`${file} holds ${found.length} times what a mutant changes, and should hold it once: ${find}`);
  return source.slice(0, match.index) + replace + source.slice(match.index + match[0].length);
}

/** Words and single signs; a trailing comma before a bracket is the formatter's business. */
function tokensOf(text: string): string[] {
  return text.match(/[\w$']+|[^\s\w$']/g) ?? [];
}

function escaped(token: string): string {
  return token.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
