import * as z from 'zod';

/** The version of the form of the file. */
export const CONFIG_VERSION = 1;

const NAME_WORDS = 'a name has lower-case letters, digits and "-", and begins with a letter or a digit';

// Schemas are made once, when the first configuration is read: an import costs nothing.

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function nameSchema() {
  return z
    .string()
    .max(64)
    .regex(/^[a-z0-9][a-z0-9-]*$/, NAME_WORDS);
}

/** The file, without what is in its sections. */
export const fileSchema = once(() =>
  z.strictObject({
    version: z.literal(CONFIG_VERSION).describe('version of the form of this file'),
    name: nameSchema().optional().describe('name of the rig; default: the name of the file'),
    isolation: z.enum(['inline', 'process']).default('inline').describe('all in one process, or a process per device'),
    runtimeDirectory: z.string().min(1).optional().describe('folder for sockets'),
    devices: z.record(nameSchema(), z.unknown()).describe('the devices, by the names that you give them'),
    exports: z.array(z.unknown()).nullish().describe('services that are offered to clients outside'),
  }),
);

/** One entry of `devices:`, without what driver and backend decide. */
export const deviceSchema = once(() =>
  z.strictObject({
    driver: z.string().min(1).describe('name of a driver package, or ./path of a file'),
    backend: z
      .looseObject({ type: z.string().min(1).describe('how the device is reached') })
      .describe('where the device is, like { type: sim }'),
    options: z.record(z.string(), z.unknown()).nullish().describe('options of the driver'),
    services: z.record(z.string(), z.string()).nullish().describe('services of other devices that the driver needs'),
  }),
);

/** One entry of `exports:`, without what the exporter decides. */
export const exportSchema = once(() =>
  z.looseObject({
    type: z.string().min(1).describe('how the service is offered'),
    service: z.string().min(1).describe('device/service'),
  }),
);
