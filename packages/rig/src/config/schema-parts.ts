import type { Model, ModuleLoader } from '../modules/index.ts';
import type { ModuleKind, ModuleTypes } from '../modules/module-kinds.ts';
import type { JsonSchema } from './json-schema.ts';

/** The parts of a JSON Schema that come from modules. */
export class SchemaParts {
  readonly definitions: Record<string, JsonSchema> = {};
  readonly #loader: ModuleLoader;

  constructor(loader: ModuleLoader) {
    this.#loader = loader;
  }

  /** Every module of a kind that can be loaded, by name. */
  async load<K extends ModuleKind>(kind: K): Promise<Map<string, ModuleTypes[K]>> {
    const load = (name: string) => this.#loader[kind](name) as Promise<ModuleTypes[K]>;
    const found = await Promise.allSettled(
      this.#loader.names(kind).map(async (name) => [name, await load(name)] as const),
    );
    return new Map(found.filter((result) => result.status === 'fulfilled').map((result) => result.value));
  }

  /** The drivers whose own model this is. */
  async driversOf(model: string, drivers: Iterable<string>): Promise<string[]> {
    const wanted = await this.#loader.model(model);
    const own = async (driver: string): Promise<Model | undefined> => {
      const name = await this.#loader.modelOf(driver);
      return name === undefined ? undefined : this.#loader.model(name).catch(() => undefined);
    };
    const pairs = await Promise.all([...drivers].map(async (driver) => ({ driver, model: await own(driver) })));
    return pairs.filter((pair) => pair.model === wanted).map((pair) => pair.driver);
  }

  /** Keeps a schema once. @returns the reference to it. */
  define(name: string, schema: JsonSchema): JsonSchema {
    const place = `#/definitions/${name}`;
    this.definitions[name] = moved(schema, place) as JsonSchema;
    return { $ref: place };
  }

  /** One of the names that are known, or a path, or a package of somebody else that is not installed here. */
  name(base: JsonSchema | undefined, known: Iterable<string>): JsonSchema {
    const { description } = base ?? {};
    const anyOf = [{ enum: [...known] }, { type: 'string', pattern: '^(\\.{0,2}/|file:|@)' }];
    return description === undefined ? { anyOf } : { description, anyOf };
  }
}

/** Adds keys to an object's schema, in every alternative of it. */
export function withProperties(
  schema: JsonSchema | undefined,
  added: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  if (schema === undefined) return {};
  const branches = (['anyOf', 'oneOf', 'allOf'] as const).flatMap((key) => {
    const inner = schema[key];
    return inner === undefined ? [] : [[key, inner.map((branch) => withProperties(branch, added))] as const];
  });
  if (branches.length > 0) return { ...schema, ...Object.fromEntries(branches) };
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return { ...schema, properties: { ...added, ...schema.properties }, required: [...Object.keys(added), ...required] };
}

/** Makes the references inside of a schema right for its new place. */
function moved(value: unknown, place: string): unknown {
  if (Array.isArray(value)) return value.map((item) => moved(item, place));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    const isReference = key === '$ref' && typeof inner === 'string' && inner.startsWith('#');
    return [key, isReference ? `${place}${inner.slice(1)}` : moved(inner, place)];
  });
  return Object.fromEntries(entries);
}
