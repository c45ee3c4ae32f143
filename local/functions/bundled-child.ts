/**
 * `child.ts` in a bundle (`bundle.ts`): the job is loaded from its source, and what it imports as the API is the one of the bundle,
 * so that there is one engine in the process.
 */
import { registerHooks } from 'node:module';

/** Where what jobs import is in the checkout, and its name in the bundle; put in by the bundler. */
declare const ENTRIES: Readonly<Record<string, string>>;
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const name = Object.hasOwn(ENTRIES, found.url) ? ENTRIES[found.url] : undefined;
    return name === undefined ? found : { url: new URL(`${name}.mjs`, import.meta.url).href, format: 'module', shortCircuit: true };
  },
});
await import('./child.ts');
