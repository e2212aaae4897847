import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { needsTools } from '@ring3/core/testing';
import { beforeEach, expect, it } from 'vitest';
import { ring3 } from './testing/runner-process.ts';

beforeEach(needsTools({ 'qemu-system-x86_64': 'qemu-system-x86', setpriv: 'util-linux' }));

const ROOT = join(import.meta.dirname, '..', '..', '..');
const IMAGE = join(ROOT, '.ring3/qemu-disk.img');

it('check finds nothing wrong with the rigs of this repository that run on QEMU', async () => {
  if (!existsSync(IMAGE)) {
    mkdirSync(join(ROOT, '.ring3'), { recursive: true });
    writeFileSync(IMAGE, gunzipSync(readFileSync(join(ROOT, 'rigs/demo-disk.img.gz'))));
  }
  const rigs = globSync('rigs/qemu-*.yaml', { cwd: ROOT }).sort();
  expect(rigs).toHaveLength(2);
  const { status, stdout } = await ring3('check', ...rigs.map((rig) => join(ROOT, rig)));
  expect(stdout.split('\n').filter((line) => line.includes(': good: '))).toHaveLength(rigs.length);
  expect(status).toBe(0);
});
