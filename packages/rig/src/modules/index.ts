export { didYouMean } from './did-you-mean.ts';
export type { Model } from './module-kinds.ts';
export { type Builtins, ModuleLoader, type ModuleLoaderOptions } from './module-loader.ts';
