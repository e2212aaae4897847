import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type BackendModule, DeviceError, type Driver } from '@ring3/core';
import type { ExporterModule } from '../exporter.ts';
import { didYouMean } from './did-you-mean.ts';
import { findFile, isPath } from './find-file.ts';
import { fileOf, importModule, type ModuleNamespace } from './import-module.ts';
import { installedNames } from './installed-names.ts';
import { MODULE_KINDS, type Model, type ModuleKind, type ModuleTypes, shapeProblem } from './module-kinds.ts';
import { errorCode, resolvePackage } from './resolve-module.ts';

type Importers = Readonly<Record<string, () => Promise<unknown>>>;

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

interface Found {
  /** For messages. */
  readonly where: string;
  /** The package, where it is one. */
  readonly packageName?: string;
  import(): Promise<ModuleNamespace>;
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
  load(name: string): Promise<unknown> {
    return this.#find('model', name).then((found) => found.import());
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
    const builtin = builtinName('driver', driver, this.#builtins.drivers) ?? driver;
    if (Object.hasOwn(this.#builtins.models ?? {}, builtin)) return builtin;
    const { packageName } = await this.#find('driver', driver);
    const name = `${packageName ?? `@ring3/driver-${builtin}`}/model`;
    return this.#resolve(name) instanceof URL ? name : undefined;
  }

  /** The names of one kind that are there: built-in ones and installed packages of the scope `@ring3`. */
  names(kind: ModuleKind): string[] {
    const builtins = Object.keys(this.#importers(kind));
    return [...new Set([...builtins, ...installedNames(kind, [this.folder, here()])])].sort();
  }

  #once<K extends ModuleKind>(kind: K, name: string): Promise<ModuleTypes[K]> {
    const key = `${kind} ${name}`;
    const known = this.#loaded.get(key) ?? this.#load(kind, name);
    this.#loaded.set(key, known);
    return known as Promise<ModuleTypes[K]>;
  }

  async #load(kind: ModuleKind, name: string): Promise<unknown> {
    const found = await this.#find(kind, name);
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

  async #find(kind: ModuleKind, name: string): Promise<Found> {
    if (isPath(name)) return this.#findPath(name);
    const importers = this.#importers(kind);
    const builtin = builtinName(kind, name, importers);
    const importer = builtin === undefined ? undefined : importers[builtin];
    if (importer !== undefined) {
      return { where: `the built-in ${kind} ${builtin}`, import: importer as () => Promise<ModuleNamespace> };
    }
    for (const candidate of candidates(kind, name)) {
      const url = this.#resolve(candidate);
      if (url instanceof URL)
        return { where: fileOf(url.href), packageName: candidate, import: () => importModule(url.href) };
      if (url !== undefined) throw new DeviceError('config', `package ${candidate} cannot be used: ${url}`);
    }
    throw this.#notFound(kind, name);
  }

  #findPath(name: string): Found {
    const { kind, file, hint } = findFile(name, this.folder);
    if (kind === 'file') return { where: file, import: () => importModule(pathToFileURL(file).href) };
    const why = kind === 'folder' ? 'is a folder' : `cannot be read: ${kind}`;
    const message = kind === 'missing' ? `there is no file ${file}` : `${file} ${why}`;
    throw new DeviceError(
      kind === 'missing' ? 'not-found' : 'config',
      message,
      hint === undefined ? {} : { details: { hint } },
    );
  }

  /** A URL, or why an installed package does not give it, or `undefined`. */
  #resolve(specifier: string): URL | string | undefined {
    try {
      const url = resolvePackage(specifier, this.folder) ?? resolvePackage(specifier, here());
      return url === undefined ? undefined : new URL(url);
    } catch (error) {
      if (errorCode(error) !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') return String(error);
      return `its package.json exports no ${
        specifier
          .split('/')
          .slice(specifier.startsWith('@') ? 2 : 1)
          .join('/') || 'main module'
      }`;
    }
  }

  #notFound(kind: ModuleKind, name: string): DeviceError {
    const file = findFile(`./${name}`, this.folder).kind === 'file';
    const near = file ? `did you mean "./${name}"?` : didYouMean(name, this.names(kind), `installed ${kind}s`);
    const packages = candidates(kind, name).join(' nor ');
    const hint =
      near ?? `no package ${packages} is installed for ${this.folder}; a file is named by a path that begins with ./`;
    return new DeviceError('not-found', `no ${kind} "${name}"`, { details: { hint } });
  }

  #importers(kind: ModuleKind): Importers {
    return this.#builtins[`${kind}s`] ?? {};
  }
}

/** The key of a built-in module by its own name or by that of its package. */
function builtinName(kind: ModuleKind, name: string, importers: Importers = {}): string | undefined {
  return Object.keys(importers).find((key) => candidates(kind, key).includes(name));
}

/** The packages that a name can mean; none for what no package can be called (`..`, `node:fs`, a URL). */
function candidates(kind: ModuleKind, name: string): string[] {
  const packages = MODULE_KINDS[kind].packages.map((packageOf) => packageOf(name));
  return packages.filter((specifier) => /^(@[\w.~-]+\/)?\w[\w.~-]*(\/\w[\w.~-]*)*$/.test(specifier));
}

/** `default`, also that of a CommonJS module that a compiler made of an ES module. */
function defaultExport({ default: value }: ModuleNamespace): unknown {
  const isCompiled = typeof value === 'object' && value !== null && '__esModule' in value && 'default' in value;
  return isCompiled ? value.default : value;
}

function here(): string {
  return dirname(fileURLToPath(import.meta.url));
}
