import { type ConfigSource, ModuleLoader } from '@ring3/rig';
import { BUILTINS } from './builtins.ts';

export type { ConfigSource } from '@ring3/rig';

/** Finds drivers, backends and exporters: the bundled ones first, others from the folder of the configuration. */
export function loaderFor(source: ConfigSource): ModuleLoader {
  return new ModuleLoader({ builtins: BUILTINS, from: source.file });
}
