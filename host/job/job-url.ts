import { registerHooks } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Where the module is that ONCEFLOW_JOB names. A path is relative to the working directory (on Lambda the bundle's folder, where the job is a module beside the handlers). Anything
 * else is a package's module, found from the working directory too, wherever this file is.
 */
export function jobUrl(module: string): string {
  if (module.startsWith('file:')) return module;
  if (isAbsolute(module) || module.startsWith('.')) return pathToFileURL(resolve(module)).href;
  const parentURL = pathToFileURL(resolve('package.json')).href;
  const hooks = registerHooks({ resolve: (specifier, context, next) => next(specifier, { ...context, parentURL }) });
  try {
    return import.meta.resolve(module);
  } finally {
    hooks.deregister();
  }
}
