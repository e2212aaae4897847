import { readFile } from 'node:fs/promises';
import { basename, extname, isAbsolute, resolve } from 'node:path';
import { type Backend, type Logger, SILENT } from '@ring3/core';
import { ModuleLoader } from '../modules/index.ts';
import { checkClaims } from './check-claims.ts';
import { type CheckContext, checkDevice } from './check-device.ts';
import { checkExport } from './check-exports.ts';
import { checkServices } from './check-services.ts';
import type { CheckedConfig, CheckedExport, Isolation } from './checked-config.ts';
import { type ConfigDocument, isRecord, objectDocument, withSettings } from './config-document.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigSource } from './config-source.ts';
import { inDependencyOrder } from './dependency-order.ts';
import { type DeviceDraft, finish } from './device-draft.ts';
import { CONFIG_VERSION, fileSchema } from './file-schema.ts';
import { Problems } from './problems.ts';
import { validate } from './validate.ts';
import { yamlDocument } from './yaml-document.ts';

/** What {@link readConfig} takes beside the source. */
export interface ReadConfigOptions {
  /** Given to the backends. */
  readonly log?: Logger;
}

/**
 * Reads and checks a configuration; touches no device. The backends of the result belong to the caller, who closes them.
 * @throws ConfigError with everything that is wrong, and never another error.
 */
export async function readConfig(
  source: string | ConfigSource,
  loader: ModuleLoader = new ModuleLoader(),
  { log = SILENT }: ReadConfigOptions = {},
): Promise<CheckedConfig> {
  const from: ConfigSource = typeof source === 'string' ? { file: source } : source;
  const document = await readDocument(from);
  const problems = new Problems(document);
  const ownLoader = from.file === undefined ? loader : loader.forFile(from.file);
  const backends = new Map<string, Backend>();
  const context: CheckContext = { loader: ownLoader, problems, backend: backendsOnce(backends, ownLoader, log) };
  const devices: DeviceDraft[] = [];
  const checked = await checkFile(document, context, devices);
  if (checked !== undefined && problems.count === 0) {
    return {
      ...(from.file === undefined ? {} : { file: from.file }),
      ...named(checked, from),
      folder: ownLoader.folder,
      backends,
    };
  }
  for (const backend of backends.values()) await backend.close().catch((error: unknown) => log.warn(String(error)));
  throw new ConfigError(problems.sorted(), devices);
}

async function readDocument({ file, value, set }: ConfigSource): Promise<ConfigDocument> {
  const document = value !== undefined || file === undefined ? objectDocument(value, file) : await readYaml(file);
  return set === undefined || document.problems.length > 0 ? document : withSettings(document, set);
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'this is a folder, a file is expected',
  EACCES: 'this file exists and may not be read: permission denied',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'this is no text in UTF-8',
};

async function readYaml(file: string): Promise<ConfigDocument> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
    return yamlDocument(text, file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const words = READ_ERRORS[code] ?? `cannot be read: ${String(error)}`;
    const message = code === 'ENOENT' && !isAbsolute(file) ? `${words} in ${resolve('.')}` : words;
    return { ...objectDocument(undefined, file), problems: [{ file, path: [], message }] };
  }
}

function backendsOnce(backends: Map<string, Backend>, loader: ModuleLoader, log: Logger): CheckContext['backend'] {
  return (type, module) => {
    const known = backends.get(type);
    if (known !== undefined) return known;
    const backend = module.create({
      log,
      resolvePath: (path) => resolve(loader.folder, path),
      loadModule: (name) => loader.load(name),
    });
    backends.set(type, backend);
    return backend;
  };
}

type Content = Omit<CheckedConfig, 'file' | 'folder' | 'backends' | 'name'> & { readonly name?: string };

/** @param devices filled with what could be found out, whatever else is wrong. */
async function checkFile(
  document: ConfigDocument,
  context: CheckContext,
  devices: DeviceDraft[],
): Promise<Content | undefined> {
  const { problems } = context;
  if (problems.count > 0 && document.value === undefined) return undefined;
  if (!isSupported(document.value, problems)) return undefined;
  const file = await validate(fileSchema(), { path: [], value: document.value }, problems);
  const root = isRecord(document.value) ? document.value : {};
  devices.push(...(await checkDevices(root['devices'], context)));
  const exports = await checkExports(root['exports'], devices, context);
  if (file !== undefined && devices.length === 0) problems.warn(['devices'], 'there are no devices');
  const sorted = inDependencyOrder(devices, problems)
    .map(finish)
    .filter((device) => device !== undefined);
  if (file === undefined) return undefined;
  const { name, isolation, runtimeDirectory } = file.value as {
    name?: string;
    isolation: Isolation;
    runtimeDirectory?: string;
  };
  const optional = {
    ...(name === undefined ? {} : { name }),
    ...(runtimeDirectory === undefined ? {} : { runtimeDirectory }),
  };
  return { ...optional, isolation, devices: sorted, exports, warnings: problems.warnings };
}

/** What a later version means, this one cannot know: nothing else is checked then. */
function isSupported(value: unknown, problems: Problems): boolean {
  if (!isRecord(value)) {
    if (problems.count === 0) problems.add([], 'expected keys and values', `begin with version: ${CONFIG_VERSION}`);
    return false;
  }
  const { version } = value;
  if (typeof version !== 'number' || version === CONFIG_VERSION) return true;
  problems.add(['version'], `version ${version} is not supported`, `this ring3 reads version ${CONFIG_VERSION}`);
  return false;
}

async function checkDevices(section: unknown, context: CheckContext): Promise<DeviceDraft[]> {
  const devices: DeviceDraft[] = [];
  for (const [name, value] of Object.entries(isRecord(section) ? section : {})) {
    devices.push(await checkDevice(name, { path: ['devices', name], value }, context));
  }
  for (const device of devices) checkServices(device, devices, context.problems);
  checkClaims(devices, context.problems);
  return devices;
}

async function checkExports(
  section: unknown,
  devices: readonly DeviceDraft[],
  context: CheckContext,
): Promise<CheckedExport[]> {
  const exports: CheckedExport[] = [];
  for (const [index, value] of (Array.isArray(section) ? section : []).entries()) {
    const checked = await checkExport({ path: ['exports', index], value }, devices, context);
    if (checked !== undefined) exports.push(checked);
  }
  return exports;
}

function named(content: Content, { file }: ConfigSource): Content & { readonly name: string } {
  const base = file === undefined ? '' : basename(file, extname(file)).toLowerCase();
  return { ...content, name: content.name ?? (base.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'rig') };
}
