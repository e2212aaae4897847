import type { OptionsSchema } from '@ring3/core';

/** A JSON Schema, draft 7; only what is looked at here has a type. */
export interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

interface JsonSchemaMaker {
  input(options: { target: 'draft-07'; libraryOptions?: Record<string, unknown> }): Record<string, unknown>;
}

/**
 * What a schema accepts as JSON Schema, if it can say so: zod and others that implement "Standard JSON Schema" can.
 * What JSON cannot express (a bigint) accepts everything.
 */
export function jsonSchemaOf(schema: OptionsSchema): JsonSchema | undefined {
  const { jsonSchema } = schema['~standard'] as { readonly jsonSchema?: JsonSchemaMaker };
  if (jsonSchema === undefined) return undefined;
  try {
    const { $schema: _, ...rest } = jsonSchema.input({
      target: 'draft-07',
      libraryOptions: { unrepresentable: 'any' },
    });
    return rest as JsonSchema;
  } catch {
    return undefined;
  }
}

/** The keys that a schema knows at a path: of all alternatives, where there are several. */
export function allowedKeys(schema: OptionsSchema, path: readonly PropertyKey[]): string[] {
  return [...new Set(nodesAt(schema, path).flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** What a schema says of the value at a path, if it says anything. */
export function descriptionOf(schema: OptionsSchema, path: readonly PropertyKey[]): string | undefined {
  return nodesAt(schema, path).find((node) => node.description !== undefined)?.description;
}

function nodesAt(schema: OptionsSchema, path: readonly PropertyKey[]): readonly JsonSchema[] {
  const json = jsonSchemaOf(schema);
  if (json === undefined) return [];
  return path.reduce<readonly JsonSchema[]>(
    (found, key) => found.flatMap((node) => inner(node, key)),
    alternatives(json),
  );
}

function inner(node: JsonSchema, key: PropertyKey): readonly JsonSchema[] {
  if (typeof key === 'number') return [node.items ?? []].flat().flatMap(alternatives);
  const property = node.properties?.[String(key)];
  const rest = typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
  return (property === undefined ? rest : [property]).flatMap(alternatives);
}

function alternatives(node: JsonSchema): readonly JsonSchema[] {
  const branches = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return branches.length === 0 ? [node] : [node, ...branches.flatMap(alternatives)];
}
