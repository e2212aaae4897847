import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ModuleLoader } from '../modules/index.ts';
import { configSchema } from './config-schema.ts';
import { FAKES } from './fixtures/modules.ts';

const GOOD = readFileSync(fileURLToPath(new URL('fixtures/good.yaml', import.meta.url)), 'utf8');

/** Judges the text of a configuration; says what an editor would mark. */
async function editor(): Promise<(text: string) => string[]> {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(
    await configSchema(new ModuleLoader({ builtins: FAKES })),
  );
  return (text) => {
    validate(parse(text));
    return (validate.errors ?? [])
      .filter(({ keyword }) => keyword !== 'if')
      .map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

test('an editor finds nothing wrong with a good file', async () => {
  expect((await editor())(GOOD)).toEqual([]);
});

test.each([
  ['of the file', 'version:', 'verison:'],
  ['of a device', 'driver: disk', 'drvier: disk'],
  ['in the name of a driver', 'driver: disk', 'driver: dsik'],
  ['in the type of a backend', 'type: simulated', 'type: simulator'],
  ['in the type of an exporter', 'type: nbd', 'type: ndb'],
  ['of a driver option', 'retries: 5', 'retires: 5'],
  ['in a driver option', 'retries: 5', 'retries: many'],
  ['of a backend', 'pace: instant', 'pcae: instant'],
  ['of a model', 'image: demo.img', 'imgae: demo.img'],
  ['of a model that is not named', 'start: 0x40000000', 'strat: 0x40000000'],
  ['of a service', 'bus: bus0/cs1', 'bos: bus0/cs1'],
  ['of an export', 'socket: demo.sock', 'sokcet: demo.sock'],
])('an editor marks a typo %s', async (_, right, wrong) => {
  expect(GOOD).toContain(right);
  expect((await editor())(GOOD.replace(right, wrong))).not.toEqual([]);
});

test('an editor lets drivers by path and packages of others pass', async () => {
  const marks = await editor();

  expect(marks(GOOD.replace('driver: disk', 'driver: ./disk.ts'))).toEqual([]);
  expect(marks(GOOD.replace('driver: disk', 'driver: "@acme/disk"'))).toEqual([]);
});

test('the options of a device are those of the model that it names', async () => {
  const marks = await editor();
  const other = GOOD.replace('model: disk', 'model: gadget');

  expect(marks(other)).not.toEqual([]);
  expect(marks(other.replace('image: demo.img', 'colour: red'))).toEqual([]);
});

test('the descriptions of options reach the editor', async () => {
  const schema = JSON.stringify(await configSchema(new ModuleLoader({ builtins: FAKES })));

  expect(schema).toContain('works without interrupts');
  expect(schema).toContain('file with the content');
  expect(schema).toContain('how time moves');
});
