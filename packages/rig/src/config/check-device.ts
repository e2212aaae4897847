import type { Backend, BackendModule } from '@ring3/core';
import type { Model, ModuleLoader } from '../modules/index.ts';
import { checkNeeds } from './check-needs.ts';
import { isRecord } from './config-document.ts';
import type { DeviceDraft } from './device-draft.ts';
import { deviceSchema } from './file-schema.ts';
import type { ConfigPath } from './problem.ts';
import type { Problems } from './problems.ts';
import { type Section, validate } from './validate.ts';

/** What the checks of a configuration share. */
export interface CheckContext {
  readonly loader: ModuleLoader;
  readonly problems: Problems;
  /** The one instance of a backend. */
  backend(type: string, module: BackendModule): Backend;
}

/** Checks all that one device says by itself. */
export async function checkDevice(name: string, section: Section, context: CheckContext): Promise<DeviceDraft> {
  const raw = isRecord(section.value) ? section.value : {};
  const draft: DeviceDraft = { name, path: section.path, raw, services: {} };
  await validate(deviceSchema(), section, context.problems);
  await checkDriver(draft, context);
  if (isRecord(raw['backend'])) await checkBackend(draft, raw['backend'], context);
  if (draft.driver !== undefined && draft.description !== undefined) {
    checkNeeds(draft.driver, draft.description, [...section.path, 'backend'], context.problems);
  }
  return draft;
}

async function checkDriver(draft: DeviceDraft, { loader, problems }: CheckContext): Promise<void> {
  const { driver: name, options } = draft.raw;
  if (typeof name !== 'string' || name === '') return;
  const driver = await attempt(() => loader.driver(name), [...draft.path, 'driver'], problems);
  if (driver === undefined) return;
  draft.driver = driver;
  const section = { path: [...draft.path, 'options'], value: options ?? {} };
  if (!isRecord(section.value)) return;
  const checked =
    driver.options === undefined
      ? noOptions(section, driver.name, problems)
      : await validate(driver.options, section, problems);
  if (checked !== undefined) draft.driverOptions = checked;
}

function noOptions({ path, value }: Section, driver: string, problems: Problems): { readonly value: unknown } {
  for (const key of Object.keys(value as object))
    problems.add([...path, key], `unknown key "${key}"`, `the driver ${driver} has no options`);
  return { value: {} };
}

async function checkBackend(
  draft: DeviceDraft,
  section: Readonly<Record<string, unknown>>,
  context: CheckContext,
): Promise<void> {
  const { loader, problems } = context;
  const path = [...draft.path, 'backend'];
  const { type, ...rest } = section;
  if (typeof type !== 'string' || type === '') return;
  const module = await attempt(() => loader.backend(type), [...path, 'type'], problems);
  if (module === undefined) return;
  draft.backendType = type;
  draft.backendModule = module;
  const before = problems.count;
  const selector = await withModel(draft, module, { path, value: rest }, context);
  const checked = selector && (await validate(module.selector, { path, value: selector }, problems));
  if (checked === undefined || problems.count > before) return;
  draft.selector = checked;
  const backend = await attempt(() => context.backend(type, module), [...path, 'type'], problems);
  if (backend === undefined) return;
  draft.backend = backend;
  const description = await attempt(() => backend.describe(checked.value), path, problems);
  if (description !== undefined) draft.description = description;
}

/** Fills in the driver's own device model, where the backend takes one, and checks the options of the model. */
async function withModel(
  draft: DeviceDraft,
  module: BackendModule,
  { path, value }: Section,
  { loader, problems }: CheckContext,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const selector = value as Readonly<Record<string, unknown>>;
  if (module.takesModel !== true) return selector;
  const { model: named = await modelOfDriver(draft, loader), options } = selector;
  if (named === undefined) {
    if (draft.driver !== undefined)
      problems.add(path, `the driver ${draft.driver.name} has no device model of its own`, 'name one with `model:`');
    return undefined;
  }
  if (typeof named !== 'string') return selector;
  const place = 'model' in selector ? [...path, 'model'] : path;
  const model = await attempt<Model>(() => loader.model(named), place, problems);
  if (model === undefined) return undefined;
  await validate(model.options, { path: [...path, 'options'], value: options ?? {} }, problems);
  return { ...selector, model: named };
}

function modelOfDriver({ driver, raw }: DeviceDraft, loader: ModuleLoader): Promise<string | undefined> | undefined {
  return driver === undefined ? undefined : loader.modelOf(String(raw['driver']));
}

/** Runs what may fail; a failure is a problem at `path`. */
export async function attempt<T>(
  action: () => T | Promise<T>,
  path: ConfigPath,
  problems: Problems,
): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    problems.addError(path, error);
    return undefined;
  }
}
