import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { readKernelResources } from '@ring3/linux';
import { expect, test } from 'vitest';
import { readDevices } from '../src/commands/doctor.ts';
import { contextOf, examine } from '../src/doctor/examine.ts';
import { type Finding, formatFinding } from '../src/doctor/finding.ts';

// Runs in the virtual machine. Each test takes something away from this machine for good, so their order counts.

/** What the doctor says of a rig with these devices, apart from what is good. */
async function complaints(devices: Readonly<Record<string, string>> = {}): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'rig.yaml');
  const sections = Object.entries(devices).map(
    ([name, backend]) => `  ${name}:\n    driver: edu\n    backend: ${backend}\n`,
  );
  writeFileSync(file, `version: 1\ndevices:\n${sections.join('')}`);
  const examined = sections.length === 0 ? [] : (await readDevices(file)).devices;
  const findings = examine(contextOf(examined)).filter(({ level }: Finding) => level !== 'ok');
  return findings.map(formatFinding).join('');
}

const free = '{ type: devmem, memory: [{ name: registers, resource: "0000:00:05.0" }] }';

test('a free device of a sound machine has nothing against it', async () => {
  expect(await complaints({ edu0: free })).not.toMatch(/^problem/m);
});

test('a region that a driver of the kernel owns is told with the driver', async () => {
  const owned = readKernelResources()
    .memory.flatMap(({ children }) => children)
    .find(({ children }) => children[0]?.name === 'virtio-pci-modern');
  const backend = `{ type: devmem, memory: [{ name: registers, address: 0x${owned?.start?.toString(16)}, size: 0x100000 }] }`;
  const told = await complaints({ edu0: backend.replace('0x100000 }', '0x1000 }') });
  expect(told).toMatch(/problem {2}device edu0: /);
  expect(told).toContain('the kernel holds');
  expect(told).toContain('"virtio-pci-modern" (/proc/iomem)');
  expect(told).toContain(`echo ${owned?.name} | sudo tee /sys/bus/pci/drivers/virtio-pci/unbind`);
});

test('a UIO module that is not loaded is told with modprobe', async () => {
  execFileSync('rmmod', ['uio_pci_generic']);
  const told = await complaints({ edu0: '{ type: uio, select: { pci: "0000:00:05.0" } }' });
  expect(told).toMatch(/^problem {2}module uio_pci_generic: not loaded/m);
  expect(told).toContain('sudo modprobe uio_pci_generic');
});

test('lockdown is told as what closes /dev/mem', async () => {
  execFileSync('mount', ['-t', 'securityfs', 'none', '/sys/kernel/security']);
  writeFileSync('/sys/kernel/security/lockdown', 'integrity');
  const told = await complaints({ edu0: free });
  expect(told).toMatch(/^problem {2}lockdown: the kernel is locked down \(integrity\)$/m);
  expect(told).toMatch(/^problem {2}\/dev\/mem: does not open: EPERM$/m);
});

test('somebody without permission is told which one is missing', async () => {
  process.setgid?.(65534);
  process.setuid?.(65534);
  const told = await complaints({
    edu0: '{ type: devmem, memory: [{ name: registers, address: 0xfe900000, size: 0x100000 }] }',
  });
  expect(readFileSync('/proc/iomem', 'utf8')).toMatch(/^00000000-00000000 : /);
  expect(told).toMatch(/^problem {2}\/dev\/mem: no permission for nobody$/m);
  expect(told).toMatch(/^problem {2}capabilities: no CAP_SYS_RAWIO$/m);
  expect(told).toMatch(/^warning {2}\/proc\/iomem: addresses are hidden$/m);
});
