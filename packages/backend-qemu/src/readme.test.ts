import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { BOARDS } from './boards/index.ts';
import { QEMU_SELECTOR } from './selector.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the configuration of the README is one', () => {
  const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(README) ?? [];
  const { type, ...section } = (parse(yaml) as { devices: { ata0: { backend: { type: string } } } }).devices.ata0
    .backend;
  expect(type).toBe('qemu');
  expect(QEMU_SELECTOR.parse(section)).toMatchObject({ machine: 'pc', select: 'ide' });
});

it('the README has every board with its devices', () => {
  for (const { name, functions, devices } of BOARDS.values()) {
    const [row = ''] = new RegExp(`^\\| \`${name}\`.*$`, 'm').exec(README) ?? [];
    for (const device of [...Object.keys(functions), ...Object.keys(devices)]) expect(row).toContain(`\`${device}\``);
    expect(row).not.toBe('');
  }
});
