import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The URL of a package's entry as an `import` in a file of `folder` would find it, or `undefined` where none is
 * installed. Node has no call for that, so the resolver is told for one moment that the import comes from there.
 * @throws what Node throws for a package that is installed and does not export the entry.
 */
export function resolvePackage(specifier: string, folder: string): string | undefined {
  const parentURL = pathToFileURL(join(folder, 'ring3.yaml')).href;
  const hooks = registerHooks({ resolve: (name, context, next) => next(name, { ...context, parentURL }) });
  try {
    const url = import.meta.resolve(specifier);
    return url.startsWith('file:') ? url : undefined;
  } catch (error) {
    if (errorCode(error) === 'ERR_MODULE_NOT_FOUND' || errorCode(error) === 'ERR_INVALID_MODULE_SPECIFIER')
      return undefined;
    throw error;
  } finally {
    hooks.deregister();
  }
}

/** The code of an error of Node, if it is one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
