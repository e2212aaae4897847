import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import uioBackend, { PciConfigSpace } from '@ring3/backend-uio';
import { edu, FACTORIAL_UNIT } from '@ring3/driver-edu';
import { openRig } from '@ring3/rig';
import { afterEach, describe, expect, it } from 'vitest';
import { ring3Here } from './testing/in-process.ts';
import { temporaryFolder } from './testing/runner-process.ts';

const DEVICES = '/sys/bus/pci/devices';

/** The first edu device of the machine. */
function findEdu(): { readonly address: string; readonly bar0: string } {
  const id = (address: string, name: string) => Number(readFileSync(join(DEVICES, address, name), 'utf8'));
  const address = readdirSync(DEVICES).find((one) => id(one, 'vendor') === 0x1234 && id(one, 'device') === 0x11e8);
  if (address === undefined) throw new Error('the machine has no edu device');
  const bar0 = Number(readFileSync(join(DEVICES, address, 'resource'), 'utf8').split(' ')[0]);
  return { address, bar0: `0x${bar0.toString(16)}` };
}

/** A configuration with the device as edu0. */
function rigWith(pci: string): string {
  const file = join(temporaryFolder(), 'rig.yaml');
  const device = { driver: 'edu', backend: { type: 'uio', select: { pci } } };
  writeFileSync(file, JSON.stringify({ version: 1, devices: { edu0: device } }));
  return file;
}

/** Sets bit 2 of the command register. @returns whether it was set. */
function switchBusMaster(address: string, on: boolean): boolean {
  const config = new PciConfigSpace(join(DEVICES, address, 'config'));
  const command = config.read16(0x04);
  config.write16(0x04, on ? command | 0x4 : command & ~0x4);
  config.close();
  return (command & 0x4) !== 0;
}

/** What a command prints with --json. */
async function json(...args: string[]) {
  const { stdout, stderr } = await ring3Here(...args, '--json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

describe.skipIf(process.env['RING3_VM'] !== '1')('the commands on a real kernel', () => {
  const patient = { timeout: 120_000 };

  afterEach(() => ring3Here('unbind', findEdu().address, '--yes').then(() => {}), 60_000);

  it('reach a device through sysfs and through /dev/mem, and call RAM by its name', patient, async () => {
    const { address, bar0 } = findEdu();
    const found = (await json('devices')).find(({ name }: { name: string }) => name === address);
    expect(found).toMatchObject({ drivers: ['edu'], obstacles: [expect.stringContaining(`ring3 bind ${address}`)] });

    const bar = `pci:${address}/bar0`;
    expect(await ring3Here('peek', bar, '--width', '32')).toMatchObject({ status: 0, stdout: '0x010000ed\n' });
    expect(await ring3Here('poke', `${bar}+4`, '0x12345678', '--width', '32')).toMatchObject({ status: 0 });
    const { stdout } = await ring3Here('peek', bar0, '--width', '32', '--count', '2');
    expect(stdout).toMatch(/^0x\w+ {2}0x010000ed\n0x\w+ {2}0xedcba987\n$/);

    const ram = await ring3Here('peek', '0x1000000', '--width', '32');
    expect(ram).toMatchObject({ status: 78, stdout: '', stderr: expect.stringContaining('System RAM') });
  });

  it('bind a device, count its interrupts without a storm, and give it back', patient, async () => {
    const { address } = findEdu();
    const bound = await json('bind', address, '--yes');
    expect(bound).toMatchObject({ now: { driver: 'uio_pci_generic', node: expect.stringMatching(/^uio/) } });
    const config = ['--config', rigWith(address)];
    expect((await ring3Here('peek', 'edu0.identification', ...config)).stdout).toContain('0x010000ed (DEVICE=0xed');

    await ring3Here('poke', 'edu0.interruptRaise', '0x10', ...config);
    const raised = await json('irq', 'edu0', '--seconds', '1', ...config);
    expect(raised.events).toBeGreaterThan(1);
    expect(raised.events).toBeLessThanOrEqual(101);
    await ring3Here('poke', 'edu0.interruptAcknowledge', '0x10', ...config);
    expect((await json('irq', 'edu0', '--seconds', '1', ...config)).events).toBe(0);

    expect(await json('unbind', address, '--yes')).toMatchObject({ now: { driver: null, node: null } });
  });

  it('refuse a device that a rig drives, name the rig, and look all the same with --shared', patient, async () => {
    const { address } = findEdu();
    await json('bind', address, '--yes');
    const file = rigWith(address);
    const builtins = {
      drivers: { edu: async () => ({ default: edu }) },
      backends: { uio: async () => ({ default: uioBackend }) },
    };
    const rig = await openRig(file, { builtins });
    const unit = rig.get(FACTORIAL_UNIT, 'unit0');
    const peek = ['peek', 'edu0.status', '--config', file];
    const refused = await ring3Here(...peek);
    expect(refused).toMatchObject({ status: 75, stdout: '', stderr: expect.stringContaining('rig.yaml: edu0') });
    expect(switchBusMaster(address, true)).toBe(false);
    expect((await ring3Here(...peek, '--shared')).stdout).toBe('0x00000080 (IRQFACT)\n');
    expect(switchBusMaster(address, false)).toBe(true);

    const counting = json('irq', 'edu0', '--shared', '--count', '5', '--config', file);
    for (let n = 0; n < 10; n++) await unit.factorial(n);
    expect((await counting).events).toBe(5);
    expect(await unit.factorial(10)).toBe(3_628_800);
    await rig.close();
    expect((await ring3Here(...peek)).stdout).toBe('0x00000000\n');
  });
});
