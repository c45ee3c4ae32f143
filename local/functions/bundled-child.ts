/**
 * `child.ts` in a bundle (`bundle.ts`): the job is loaded from its source, and what it imports as the API is the one of the bundle,
 * so that there is one engine in the process.
 */
import { registerHooks } from 'node:module';

/** Where the API is in the checkout, put in by the bundler. */
declare const API_SOURCE: string;

const inBundle = new URL('api.mjs', import.meta.url).href;
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return found.url === API_SOURCE ? { url: inBundle, format: 'module', shortCircuit: true } : found;
  },
});
await import('./child.ts');
