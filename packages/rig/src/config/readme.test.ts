import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { ModuleLoader } from '../modules/index.ts';
import { FAKES, SIMULATED } from './fixtures/modules.ts';
import { readConfig } from './read-config.ts';

const README = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
const [, SECTION = ''] = README.split('## The configuration file');
const FOLDER = mkdtempSync(join(tmpdir(), 'ring3-readme-'));
const FILE = join(FOLDER, 'rig.yaml');

/** A driver that needs the disk of another device. */
const BRIDGE = `export default {
  name: 'bridge', match: [], provides: [], attach() {},
  needs: { disk: { need: 'service', serviceClass: { name: 'block-device' } } },
};`;
const MODEL = `export default {
  name: 'bridge', options: { '~standard': { version: 1, vendor: 'none', validate: (value) => ({ value }) }, parse: (value) => value },
  describe: () => ({ identity: {}, spaces: [] }), create() {},
};`;

function block(language: string): string {
  return SECTION.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? '';
}

function loader(): ModuleLoader {
  const { drivers = {}, models = {}, backends = {} } = FAKES;
  const sim = async () => ({ default: SIMULATED });
  const builtins = { ...FAKES, backends: { ...backends, sim } };
  const { disk } = drivers;
  const { disk: model } = models;
  if (disk === undefined || model === undefined) throw new Error('no fakes');
  return new ModuleLoader({ builtins: { ...builtins, drivers: { 'ata-sff': disk }, models: { 'ata-sff': model } } });
}

afterAll(() => rmSync(FOLDER, { recursive: true }));

test('the file of the README is good', async () => {
  writeFileSync(FILE, block('yaml'));
  writeFileSync(join(FOLDER, 'bridge.ts'), BRIDGE);
  writeFileSync(join(FOLDER, 'bridge.model.ts'), MODEL);
  const { devices } = await readConfig(FILE, loader());

  expect(devices.map(({ name, services }) => [name, services])).toEqual([
    ['ata0', {}],
    ['bridge0', { disk: 'ata0/disk0' }],
  ]);
});

test('the messages of the README are those of a broken file', async () => {
  const lines = [
    'version: 1',
    'name: demo',
    'isolaton: inline',
    'devices:',
    '  ata0:',
    '    driver: ata-fss',
    '    backend: { type: sim, options: {} }',
    '  ata1:',
    '    backend: { type: sim, options: { strat: 1 } }',
    '    options: { retries: many }',
    '    driver: ata-sff',
  ];
  writeFileSync(FILE, lines.map((line) => `${line}\n`).join(''));
  const { message } = (await readConfig(FILE, loader()).catch((error: Error) => error as Error)) as Error;

  expect(message.replaceAll(`${FOLDER}/`, '')).toBe(block('text').trim());
});
