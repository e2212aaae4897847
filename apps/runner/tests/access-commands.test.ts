import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { ring3Here } from './testing/in-process.ts';
import { machineFolder } from './testing/machine-folder.ts';

const EDU = join(import.meta.dirname, '..', '..', '..', 'rigs', 'edu.yaml');

afterEach(() => {
  vi.unstubAllEnvs();
});

it.each([
  ['peek edu0.bar0', 'give the width of the access, --width 8, 16, 32 or 64'],
  ['peek edu0.identifcation', 'did you mean "identification"?'],
  ['peek edu0.status --width 16', 'status has 32 bits: leave --width out'],
  ['peek edu0.status --count 2', 'status is one register: give SPACE+OFFSET to read several'],
  ['peek edu0.status+4', 'status is one register: write SPACE+OFFSET for what is behind it'],
  ['peek edu0.bar0+2 --width 32', '0x2 is not a multiple of 4: an access of 32 bits is at 0x0 or 0x4'],
  ['peek edu0.bar0+0x100000 --width 32', '4 bytes at 0x100000 do not fit: registers has 0x100000 bytes'],
  ['peek edu0.bar0 --width 8', 'the device takes no 8-bit access'],
  ['peek edu0.bar0 --width 64', 'this bus has no 64-bit access'],
  ['peek edu0.interruptRaise', 'interruptRaise is only written, it cannot be read'],
  ['poke edu0.identification 1', 'identification is only read, it cannot be written'],
  ['poke edu0.bar0+0x20 1 2 --width 32', 'interruptStatus is only read, it cannot be written'],
  ['poke edu0.liveness 1 2', 'liveness is one register: give one value'],
  ['poke edu0.liveness 0x1_0000_0000', '0x1_0000_0000 does not fit 32 bits: at most 0xffffffff'],
  ['watch edu0.status --until 2 --mask 1', '--until 2 has bits outside the mask 0x1: it can never be'],
  ['watch edu0.status --mask 0', '--mask 0 leaves no bits of 32'],
  ['dump edu0.bar0 6 --width 32', '6 bytes are not whole words of 32 bits'],
  ['dump edu0.status 4', 'edu0.status is one register: ring3 peek reads it'],
])('%s is refused with status 64', async (line, message) => {
  const { status, stdout, stderr } = await ring3Here(...line.split(' '), '--config', EDU);
  expect(stderr).toContain(message);
  expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
});

it.skipIf(process.platform !== 'linux' || process.getuid?.() === 0)(
  'a file that may not be opened ends with status 77 [root may open all]',
  async () => {
    const { root, environment } = machineFolder();
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    chmodSync(join(root, 'dev/mem'), 0);
    const { status, stderr } = await ring3Here('peek', '0x43c00000', '--width', '32');
    expect(stderr).toContain('EACCES');
    expect(status).toBe(77);
  },
);

it.skipIf(process.platform !== 'linux').each([
  ['peek edu0.status', 64, 'add --config FILE'],
  ['peek 0x1000 --width 32', 78, 'is RAM'],
  ['peek pci:0000:00:09.0/bar0 --width 32', 69, '0000:00:09.0'],
  ['peek pci:0000:00:04.0/bar3 --width 32', 69, 'has no bar3; there is: bar0'],
  ['peek pci:0000:00:05.0/bar0 --width 32 --shared', 75, 'the kernel driver e1000 has it'],
  ['peek 0xfeb00000 --width 32 --shared', 75, 'e1000'],
  ['irq pci:0000:00:04.0', 69, 'has no interrupt 0 here, it has 0; no UIO driver is bound'],
  ['bind 0000:00:09.0', 69, 'there is no PCI function 0000:00:09.0'],
  ['bind 0000:00:05.0 --driver igb_uio', 69, 'the kernel driver igb_uio is not loaded: modprobe igb_uio'],
  ['bind 5', 64, '"5" is not a PCI address: write domain:bus:device.function, like 0000:00:04.0'],
  ['irq 0000:00:04.0', 64, '"0000:00:04.0" is no device: write pci:0000:00:04.0'],
])('%s ends with status %i', async (line, expected, message) => {
  for (const [name, value] of Object.entries(machineFolder().environment)) vi.stubEnv(name, value);
  const { status, stderr } = await ring3Here(...line.split(' '));
  expect(stderr).toContain(message);
  expect(status).toBe(expected);
});
