import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isUsers } from './users-code.ts';

/** From now on notes which files of the job's author are loaded, those that fail too. The answer: which were. */
export function watchLoads(): () => string[] {
  const files = new Set<string>();
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) files.add(fileURLToPath(url));
      return next(url, context);
    },
  });
  return () => [...files].filter(isUsers);
}
