import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { ring3, temporaryFolder } from './testing/runner-process.ts';

const DEMO = join(import.meta.dirname, '..', '..', '..', 'rigs', 'demo.yaml');

/** A device in the memory of the machine itself, which no machine gives out. */
function wrongRig(): string {
  const file = join(temporaryFolder(), 'rig.yaml');
  const backend =
    '{ type: devmem, memory: [{ name: bar0, address: 0x7f0000000000, size: 0x100000 }, { name: bar0, address: 0, size: 4 }] }';
  writeFileSync(file, `version: 1\ndevices:\n  edu0:\n    driver: edu\n    backend: ${backend}\n`);
  return file;
}

describe.skipIf(process.platform !== 'linux')('ring3 doctor', () => {
  it('finds nothing that blocks a simulated rig', async () => {
    const { status, stdout, stderr } = await ring3('doctor', DEMO);
    expect(stdout).toMatch(/^ok {7}node: Node \d/m);
    expect(stdout).toMatch(/^ok {7}device ata0: backend sim/m);
    expect(stdout).not.toMatch(/^problem/m);
    expect(stderr).toMatch(/^0 problem\(s\), \d+ warning\(s\)$/m);
    expect(status).toBe(0);
  });

  it('tells what is wrong with a device, for programs, and says so with its status', async () => {
    const { status, stdout } = await ring3('doctor', wrongRig(), '--json');
    const findings = JSON.parse(stdout) as { level: string; about: string; cause?: string }[];
    const wrong = findings.find(({ level, about }) => level === 'problem' && about === 'device edu0');
    expect(wrong?.cause).toContain('two spaces are called bar0');
    expect(status).toBe(69);
  });

  it('prints udev rules and nothing else', async () => {
    const { status, stdout } = await ring3('doctor', wrongRig(), '--udev');
    expect(stdout).toContain('KERNEL=="mem", SUBSYSTEM=="mem", GROUP="ring3", MODE="0660"');
    expect(stdout.split('\n').filter((line) => !/^(?:#.*|[A-Z].*=.*|)$/.test(line))).toEqual([]);
    expect(status).toBe(0);
  });
});
