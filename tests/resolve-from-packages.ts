// Preloaded before a snippet: what it imports is found as if it stood in one of the packages.
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packages } from './workspace.ts';

const parents = packages().map(({ folder }) => pathToFileURL(join(folder, 'package.json')).href);

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (/^(?:[./]|\w+:)/.test(specifier) || !context.parentURL?.includes('/reports/snippets/')) {
      return nextResolve(specifier, context);
    }
    for (const parentURL of parents) {
      try {
        return nextResolve(specifier, { ...context, parentURL });
      } catch {
        // The next package may have it.
      }
    }
    return nextResolve(specifier, context);
  },
});
