import type { Driver, Need } from '@ring3/core';
import type { ModuleLoader } from '../modules/index.ts';
import { deviceSchema, exportSchema, fileSchema } from './file-schema.ts';
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts';
import { SchemaParts, withProperties } from './schema-parts.ts';

/**
 * The JSON Schema (draft 7) of configuration files for editors, made of the modules that `loader` knows by name: a
 * driver brings its options, a backend its selector, a model its options. Modules that cannot be loaded are left out.
 */
export async function configSchema(loader: ModuleLoader): Promise<JsonSchema> {
  const parts = new SchemaParts(loader);
  const device = await deviceJson(parts);
  const exported = await exportJson(parts);
  const root = jsonSchemaOf(fileSchema()) ?? {};
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'ring3 configuration',
    ...root,
    properties: {
      ...root.properties,
      devices: { ...root.properties?.['devices'], additionalProperties: device },
      exports: { ...root.properties?.['exports'], anyOf: [{ type: 'array', items: exported }, { type: 'null' }] },
    },
    definitions: parts.definitions,
  };
}

async function deviceJson(parts: SchemaParts): Promise<JsonSchema> {
  const [drivers, backends, models] = await Promise.all([
    parts.load('driver'),
    parts.load('backend'),
    parts.load('model'),
  ]);
  const base = jsonSchemaOf(deviceSchema()) ?? {};
  const { backend, driver } = base.properties ?? {};
  const type = parts.name(backend?.properties?.['type'], backends.keys());
  const rules = [...drivers].map(([name, found]) => driverRule(name, found, parts));
  for (const [name, module] of backends) {
    const selector = parts.define(
      `backend-${name}`,
      withProperties(jsonSchemaOf(module.selector), { type: { const: name } }),
    );
    rules.push(implies(when({ backend: when({ type: { const: name } }) }), { properties: { backend: selector } }));
    if (module.takesModel !== true) continue;
    for (const [model, { options }] of models) {
      const part = parts.define(`model-${model}`, jsonSchemaOf(options) ?? {});
      rules.push(...modelRules(name, model, await parts.driversOf(model, drivers.keys()), part));
    }
  }
  const properties = {
    ...base.properties,
    driver: parts.name(driver, drivers.keys()),
    backend: { ...backend, properties: { ...backend?.properties, type } },
  };
  return { ...base, properties, allOf: rules };
}

async function exportJson(parts: SchemaParts): Promise<JsonSchema> {
  const exporters = await parts.load('exporter');
  const base = jsonSchemaOf(exportSchema()) ?? {};
  const { type, service = {} } = base.properties ?? {};
  const rules = [...exporters].map(([name, { options }]) => {
    const entry = withProperties(jsonSchemaOf(options), { type: { const: name }, service });
    return implies(when({ type: { const: name } }), parts.define(`exporter-${name}`, entry));
  });
  return { ...base, properties: { ...base.properties, type: parts.name(type, exporters.keys()) }, allOf: rules };
}

function driverRule(name: string, driver: Driver, parts: SchemaParts): JsonSchema {
  const schema =
    driver.options === undefined ? { type: 'object', additionalProperties: false } : jsonSchemaOf(driver.options);
  const options = parts.define(`driver-${name}`, orNothing(schema ?? {}));
  const services = Object.entries(driver.needs).filter(([, need]) => isService(need));
  const required = services.filter(([, need]) => need.need !== 'optional').map(([key]) => key);
  const properties = Object.fromEntries(services.map(([key]) => [key, { type: 'string', pattern: '^[^/]+/.+$' }]));
  const section = { type: 'object', properties, required, additionalProperties: false };
  const demanded = required.length > 0 ? { required: ['services'] } : {};
  const consequence = {
    properties: { options, services: required.length > 0 ? section : orNothing(section) },
    ...demanded,
  };
  return implies(when({ driver: { const: name } }), consequence);
}

/** The options of a model, where it is named, and where its driver is and no other model. */
function modelRules(backend: string, model: string, drivers: readonly string[], options: JsonSchema): JsonSchema[] {
  const consequence = { properties: { backend: { properties: { options } } } };
  const type = { const: backend };
  const unnamed = { ...when({ type }), not: { required: ['model'] } };
  return [
    implies(when({ backend: when({ type, model: { const: model } }) }), consequence),
    implies(when({ driver: { enum: drivers }, backend: unnamed }), consequence),
  ];
}

function implies(condition: JsonSchema, consequence: JsonSchema): JsonSchema {
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema; nobody awaits a schema.
  return { if: condition, then: consequence };
}

/** Holds where all of these are there and fit. */
function when(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { properties, required: Object.keys(properties) };
}

/** A key without a value means nothing, which is as good as no key. */
function orNothing(schema: JsonSchema): JsonSchema {
  return schema['type'] === 'object' ? { ...schema, type: ['object', 'null'] } : schema;
}

function isService(need: Need): boolean {
  return need.need === 'service' || (need.need === 'optional' && need.inner.need === 'service');
}
