import { type ConfigSource, ModuleLoader } from '@ring3/rig';
import { config } from 'zod';
import { BUILTINS } from './builtins.ts';

// zod compiles a validator for each schema, which pays for itself after thousands of values; a configuration has one.
config({ jitless: true });

export type { ConfigSource } from '@ring3/rig';

/** Finds drivers, backends and exporters: the bundled ones first, others from the folder of the configuration. */
export function loaderFor(source: ConfigSource): ModuleLoader {
  return new ModuleLoader({ builtins: BUILTINS, from: source.file });
}
