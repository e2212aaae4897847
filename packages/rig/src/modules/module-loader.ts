import { dirname, resolve } from 'node:path';
import { type BackendModule, DeviceError, type Driver } from '@ring3/core';
import type { ExporterModule } from '../exporter.ts';
import { findFile, isPath } from './find-file.ts';
import { builtinName, findModule, findPackage, type Importers, knownNames, type SearchPlaces } from './find-module.ts';
import type { ModuleNamespace } from './import-module.ts';
import { type Model, type ModuleKind, type ModuleTypes, shapeProblem } from './module-kinds.ts';

/** Modules that a program brings with it, so that it needs no node_modules: names, and `() => import('...')`. */
export interface Builtins {
  readonly drivers?: Importers;
  /** Device models, by the names of the drivers that they are for. */
  readonly models?: Importers;
  readonly backends?: Importers;
  readonly exporters?: Importers;
}

/** What a {@link ModuleLoader} is made of. */
export interface ModuleLoaderOptions {
  readonly builtins?: Builtins;
  /** The configuration file: paths and packages are looked up from its folder. Default: the current folder. */
  readonly from?: string | undefined;
}

/**
 * Loads what a configuration names. A name that begins with `./`, `../`, `/` or `file:` is a file; every other name is
 * looked up among the built-in modules, then as a package (`ata-sff` also as `@ring3/driver-ata-sff`) from the folder
 * of the configuration, then from here.
 *
 * Its methods throw DeviceError `not-found` where nothing has the name, and `config` where something has it that cannot
 * be loaded or is something else; `details.hint` says what to do.
 */
export class ModuleLoader {
  readonly folder: string;
  readonly #builtins: Builtins;
  readonly #loaded = new Map<string, Promise<unknown>>();

  constructor({ builtins = {}, from }: ModuleLoaderOptions = {}) {
    this.#builtins = builtins;
    this.folder = from === undefined ? process.cwd() : dirname(resolve(from));
  }

  /** The loader for a configuration file: this one, if it is for the same folder. */
  forFile(file: string): ModuleLoader {
    if (dirname(resolve(file)) === this.folder) return this;
    return new ModuleLoader({ builtins: this.#builtins, from: file });
  }

  driver(name: string): Promise<Driver> {
    return this.#once('driver', name);
  }

  backend(type: string): Promise<BackendModule> {
    return this.#once('backend', type);
  }

  exporter(type: string): Promise<ExporterModule> {
    return this.#once('exporter', type);
  }

  model(name: string): Promise<Model> {
    return this.#once('model', name);
  }

  /** The namespace of a module that a backend asks for: `BackendEnvironment.loadModule`. Finds what {@link model} finds. */
  async load(name: string): Promise<unknown> {
    return findModule('model', name, this.#places('model')).import();
  }

  /**
   * The name of the model that comes with a driver: built in under the same name, `./model` of its package, or
   * `x.model.ts` beside `x.ts`. `undefined` where there is none.
   */
  async modelOf(driver: string): Promise<string | undefined> {
    if (isPath(driver)) {
      const sibling = driver.replace(/\.(m?[jt]s)$/, '.model.$1');
      return sibling !== driver && findFile(sibling, this.folder).kind === 'file' ? sibling : undefined;
    }
    const { importers } = this.#places('driver');
    const builtin = builtinName('driver', driver, importers);
    const name = builtinName('model', builtin ?? driver, this.#places('model').importers);
    if (name !== undefined) return name;
    const { packageName = `@ring3/driver-${builtin}` } = findModule('driver', driver, this.#places('driver'));
    return this.#hasModel(packageName) ? `${packageName}/model` : undefined;
  }

  /** The names of one kind that may be there: built-in ones, and those of installed packages. */
  names(kind: ModuleKind): string[] {
    return knownNames(kind, this.#places(kind));
  }

  #hasModel(packageName: string): boolean {
    try {
      return findPackage(`${packageName}/model`, this.folder) !== undefined;
    } catch {
      return false;
    }
  }

  #once<K extends ModuleKind>(kind: K, name: string): Promise<ModuleTypes[K]> {
    const key = `${kind} ${name}`;
    const known = this.#loaded.get(key) ?? this.#load(kind, name);
    this.#loaded.set(key, known);
    return known as Promise<ModuleTypes[K]>;
  }

  async #load(kind: ModuleKind, name: string): Promise<unknown> {
    const found = findModule(kind, name, this.#places(kind));
    const namespace = await found.import();
    const value = defaultExport(namespace);
    const problem = shapeProblem(kind, value);
    if (problem === undefined) return value;
    const named = Object.keys(namespace).filter((key) => key !== 'default');
    const exported = value === undefined ? `; it exports ${named.join(', ') || 'nothing'}` : '';
    const meant = named.find((key) => shapeProblem(kind, namespace[key]) === undefined);
    const hint = meant === undefined ? {} : { details: { hint: `write \`export default ${meant}\`` } };
    throw new DeviceError('config', `${found.where} ${problem}${exported}`, hint);
  }

  #places(kind: ModuleKind): SearchPlaces {
    return { importers: this.#builtins[`${kind}s`] ?? {}, folder: this.folder };
  }
}

/** `default`, also that of a CommonJS module that a compiler made of an ES module. */
function defaultExport({ default: value }: ModuleNamespace): unknown {
  const isCompiled = typeof value === 'object' && value !== null && '__esModule' in value && 'default' in value;
  return isCompiled ? value.default : value;
}
