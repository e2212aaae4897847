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
  const found = await withModel(draft, module, { path, value: rest }, context);
  const checked = await validate(module.selector, { path, value: found.selector }, problems);
  if (checked === undefined || !found.isComplete) return;
  draft.selector = checked;
  const backend = await attempt(() => context.backend(type, module), [...path, 'type'], problems);
  if (backend === undefined) return;
  draft.backend = backend;
  const description = await attempt(() => backend.describe(checked.value), path, problems);
  if (description !== undefined) draft.description = description;
}

interface SelectorDraft {
  readonly selector: Readonly<Record<string, unknown>>;
  /** Whether a backend can be asked with it. */
  readonly isComplete: boolean;
}

/** Fills in the driver's own device model, where the backend takes one, and checks the options of the model. */
async function withModel(
  draft: DeviceDraft,
  module: BackendModule,
  section: Section,
  { loader, problems }: CheckContext,
): Promise<SelectorDraft> {
  const selector = isRecord(section.value) ? section.value : {};
  if (module.takesModel !== true) return { selector, isComplete: true };
  const { model: name = await modelOfDriver(draft, section, loader, problems), options } = selector;
  if (typeof name !== 'string') return { selector, isComplete: false };
  const { path } = section;
  const place = Object.hasOwn(selector, 'model') ? [...path, 'model'] : path;
  const model = await attempt<Model>(() => loader.model(name), place, problems);
  if (model === undefined) return { selector: { ...selector, model: name }, isComplete: false };
  const checked = await validate(model.options, { path: [...path, 'options'], value: options ?? {} }, problems);
  return { selector: { ...selector, model: name }, isComplete: checked !== undefined };
}

async function modelOfDriver(
  { driver, raw }: DeviceDraft,
  { path }: Section,
  loader: ModuleLoader,
  problems: Problems,
): Promise<string | undefined> {
  if (driver === undefined) return undefined;
  const found = await attempt(async () => ({ name: await loader.modelOf(String(raw['driver'])) }), path, problems);
  if (found !== undefined && found.name === undefined) {
    problems.add(path, `the driver ${driver.name} has no device model of its own`, 'name one with `model:`');
  }
  return found?.name;
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
