import type { BackendModule, Driver, OptionsSchema } from '@ring3/core';
import type { ExporterModule } from '../exporter.ts';

/** What the configuration loads by name. */
export type ModuleKind = 'driver' | 'model' | 'backend' | 'exporter';

/** What the rig needs to know of a simulated device: the backend that creates it knows the rest. */
export interface Model {
  readonly name: string;
  readonly options: OptionsSchema;
}

/** The type of a module's default export, by kind. */
export interface ModuleTypes {
  readonly driver: Driver;
  readonly model: Model;
  readonly backend: BackendModule;
  readonly exporter: ExporterModule;
}

interface KindFacts {
  /** The function that makes the default export. */
  readonly madeBy: string;
  /** The members that it must have, with what `typeof` says of them. */
  readonly members: Readonly<Record<string, 'string' | 'object' | 'function' | 'array' | 'schema' | 'optional schema'>>;
  /** Packages that a short name can mean, the first first. */
  readonly packages: readonly ((name: string) => string)[];
}

export const MODULE_KINDS: Readonly<Record<ModuleKind, KindFacts>> = {
  driver: {
    madeBy: 'defineDriver()',
    members: {
      name: 'string',
      match: 'array',
      needs: 'object',
      options: 'optional schema',
      provides: 'array',
      attach: 'function',
    },
    packages: [(name) => `@ring3/driver-${name}`, (name) => name],
  },
  model: {
    madeBy: 'defineModel()',
    members: { name: 'string', options: 'schema', describe: 'function', create: 'function' },
    packages: [(name) => `@ring3/driver-${name}/model`, (name) => name],
  },
  backend: {
    madeBy: 'defineBackend()',
    members: { type: 'string', selector: 'schema', create: 'function' },
    packages: [(name) => `@ring3/backend-${name}`, (name) => name],
  },
  exporter: {
    madeBy: 'defineExporter()',
    members: { type: 'string', serviceClass: 'object', options: 'schema', create: 'function' },
    packages: [(name) => `@ring3/exporter-${name}`, (name) => `@ring3/${name}`, (name) => name],
  },
};

/** Why a value is not what {@link MODULE_KINDS} says of its kind; `undefined` if it is. */
export function shapeProblem(kind: ModuleKind, value: unknown): string | undefined {
  const { members, madeBy } = MODULE_KINDS[kind];
  if (typeof value !== 'object' || value === null) return `has no default export made by ${madeBy}`;
  const wrong = Object.entries(members).find(
    ([name, form]) => !hasForm((value as Record<string, unknown>)[name], form),
  );
  if (wrong === undefined) return undefined;
  const state = name(value, wrong[0]) === undefined ? 'is missing' : `is no ${wrong[1].replace('optional ', '')}`;
  return `has a default export that is no ${kind}: \`${wrong[0]}\` ${state}; make it with ${madeBy}`;
}

function name(value: object, key: string): unknown {
  return (value as Record<string, unknown>)[key];
}

function hasForm(value: unknown, form: string): boolean {
  if (form === 'optional schema') return value === undefined || hasForm(value, 'schema');
  if (form === 'array') return Array.isArray(value);
  if (form !== 'schema') return typeof value === form && value !== null;
  const standard =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['~standard'] : undefined;
  return (
    typeof standard === 'object' &&
    standard !== null &&
    typeof (standard as Record<string, unknown>)['validate'] === 'function'
  );
}
