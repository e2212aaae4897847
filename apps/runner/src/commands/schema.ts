import { configSchema } from '@ring3/rig';
import { loaderFor } from '../config-source.ts';

/** `ring3 schema`: made from the drivers, backends and exporters that are installed. */
export async function schema(): Promise<void> {
  const loader = loaderFor({ file: 'ring3.yaml' });
  process.stdout.write(`${JSON.stringify(await configSchema(loader), undefined, 2)}\n`);
}
