import { attempt, type CheckContext } from './check-device.ts';
import { checkReference } from './check-services.ts';
import type { CheckedExport } from './checked-config.ts';
import { isRecord } from './config-document.ts';
import type { DeviceDraft } from './device-draft.ts';
import { exportSchema } from './file-schema.ts';
import { type Section, validate } from './validate.ts';

/** Checks one entry of `exports:`. @returns it, unless something is wrong with it. */
export async function checkExport(
  section: Section,
  devices: readonly DeviceDraft[],
  { loader, problems }: CheckContext,
): Promise<CheckedExport | undefined> {
  await validate(exportSchema(), section, problems);
  if (!isRecord(section.value)) return undefined;
  const { path } = section;
  const { type, service, ...rest } = section.value;
  const module = isName(type) ? await attempt(() => loader.exporter(type), [...path, 'type'], problems) : undefined;
  const at = { path: [...path, 'service'], devices, problems };
  const target = isName(service) ? checkReference(service, module?.serviceClass, at) : undefined;
  const options = module && (await validate(module.options, { path, value: rest }, problems));
  if (!isName(type) || !isName(service) || module === undefined || target === undefined || options === undefined)
    return undefined;
  return { type, module, service, device: target.name, options: options.value };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
