import type { ModuleLoader } from '../modules/index.ts';
import type { JsonSchema } from './json-schema.ts';

export async function configSchema(_loader: ModuleLoader): Promise<JsonSchema> {
  return {};
}
