export { type Builtins, ModuleLoader, type ModuleLoaderOptions } from './module-loader.ts';
export type { Model, ModuleKind } from './module-kinds.ts';
