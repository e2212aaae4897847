import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Clock, DeviceError } from '@ring3/core';
import { claimMachine } from '@ring3/linux';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeMachine, type FakePci } from '../testing/fake-machine.ts';
import { applyBinding } from './apply-binding.ts';
import { formatStep, planBinding } from './plan-binding.ts';

const ADDRESS = '0000:00:04.0';
const BAR0 = { bar: 0, start: 0xfeb0_0000, sizeBytes: 0x1000 };

/** What the kernel's driver core does with the files that are written; it acts while somebody waits. */
class DriverCore implements Clock {
  readonly #machine: FakeMachine;
  readonly #folder: string;
  /** What else may take the device when nothing is overridden. */
  readonly #ownDriver: string | undefined;
  readonly #refuses: string | undefined;
  #nowUs = 0;

  constructor(machine: FakeMachine, folder: string, ownDriver?: string, refuses?: string) {
    this.#machine = machine;
    this.#folder = folder;
    this.#ownDriver = ownDriver;
    this.#refuses = refuses;
    for (const path of [
      'bus/pci/drivers_probe',
      ...(ownDriver === undefined ? [] : [`bus/pci/drivers/${ownDriver}/unbind`]),
    ])
      machine.write(join(machine.roots.sys, path), '');
  }

  nowUs(): number {
    return this.#nowUs;
  }

  after(delayUs: number, callback: () => void) {
    this.#nowUs += delayUs;
    setImmediate(() => {
      this.#act();
      callback();
    });
    return { cancel: () => {} };
  }

  spinNs(): void {}

  #act(): void {
    const link = join(this.#folder, 'driver');
    const unbind = join(link, 'unbind');
    if (existsSync(unbind) && take(unbind) === ADDRESS) rmSync(link);
    if (take(join(this.#machine.roots.sys, 'bus/pci/drivers_probe')) !== ADDRESS || existsSync(link)) return;
    const override = readFileSync(join(this.#folder, 'driver_override'), 'latin1').trim();
    const driver = override === '' || override === '(null)' ? this.#ownDriver : override;
    if (driver === undefined || driver === this.#refuses) return;
    this.#machine.bindDriver(this.#folder, driver);
    writeFileSync(unbind, '');
    if (driver === 'uio_pci_generic') this.#machine.uio({ node: 'uio0', parent: this.#folder });
  }
}

function take(path: string): string {
  const text = readFileSync(path, 'latin1').trim();
  writeFileSync(path, '');
  return text;
}

describe.skipIf(process.platform !== 'linux')('binding', () => {
  let machine: FakeMachine;
  beforeEach(() => {
    machine = new FakeMachine();
    mkdirSync(join(machine.roots.sys, 'bus/pci/drivers/uio_pci_generic'));
  });
  afterEach(() => machine.close());

  const options = () => ({ ...machine.roots, claims: join(machine.root, 'claims') });
  const plan = (action: 'bind' | 'unbind' = 'bind', force = false) =>
    planBinding({ ...options(), force }, action, ADDRESS);
  const relative = (text: string) => text.replaceAll(`${machine.roots.sys}/`, '');

  it('shows what it writes, in order, and the way back', () => {
    machine.pci({ bars: [BAR0], driver: 'serial' });
    const { writes, undo, from, notes } = plan();
    expect(from).toBe('serial');
    expect(writes.map(formatStep).map(relative)).toEqual([
      'echo uio_pci_generic > bus/pci/devices/0000:00:04.0/driver_override',
      'echo 0000:00:04.0 > bus/pci/devices/0000:00:04.0/driver/unbind',
      'echo 0000:00:04.0 > bus/pci/drivers_probe',
    ]);
    expect(undo.map(formatStep).map(relative)[0]).toBe('echo "" > bus/pci/devices/0000:00:04.0/driver_override');
    expect(notes).toEqual([expect.stringContaining('PCI 2.3')]);
  });

  it('gives a device to UIO and back to its own driver', async () => {
    const folder = machine.pci({ driver: 'serial' });
    const clock = new DriverCore(machine, folder, 'serial');
    const steps: string[] = [];
    const bound = await applyBinding(plan(), { clock, onWrite: ({ path }) => steps.push(basename(path)) });
    expect(bound).toEqual({ driver: 'uio_pci_generic', node: 'uio0' });
    expect(steps).toEqual(['driver_override', 'unbind', 'drivers_probe']);
    expect(plan().writes, 'there is nothing left to do').toEqual([]);
    expect((await applyBinding(plan('unbind'), { clock })).driver).not.toBe('uio_pci_generic');
    expect(plan('unbind').writes).toEqual([]);
  });

  it('masks the interrupt before UIO leaves a device, so that nobody is left with it', async () => {
    const folder = machine.pci({ driver: 'uio_pci_generic' });
    const { writes, undo } = plan('unbind');
    expect(formatStep(writes[0] ?? expect.fail())).toBe('setpci -s 0000:00:04.0 COMMAND=0400:0400');
    expect([writes.length, undo.length]).toEqual([4, 3]);
    const clock = new DriverCore(machine, folder);
    machine.write(join(folder, 'driver/unbind'), '');
    await applyBinding(plan('unbind'), { clock });
    expect(readFileSync(join(folder, 'config')).readUInt16LE(4)).toBe(0x0503);
  });

  it('binds a device that nobody has', async () => {
    const folder = machine.pci();
    const clock = new DriverCore(machine, folder);
    expect((await applyBinding(plan(), { clock })).driver).toBe('uio_pci_generic');
  });

  it('goes back when the driver does not take the device', async () => {
    const folder = machine.pci({ driver: 'serial' });
    const clock = new DriverCore(machine, folder, 'serial', 'uio_pci_generic');
    const failed = applyBinding(plan(), { clock });
    await expect(failed).rejects.toMatchObject({ code: 'unsupported', message: expect.stringContaining('PCI 2.3') });
    clock.after(0, () => {});
    await new Promise((resolve) => void setImmediate(resolve));
    expect(readFileSync(join(folder, 'driver_override'), 'latin1').trim()).toBe('');
  });

  it('goes back when a write fails half way, and says which step of the way back failed', async () => {
    const folder = machine.pci({ driver: 'serial' });
    const failed = applyBinding(plan());
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('drivers_probe') });
    expect(readFileSync(join(folder, 'driver_override'), 'latin1').trim()).toBe('');
  });

  it('says beforehand that a device without INTx will be polled', () => {
    machine.pci({ irq: 0 });
    expect(plan().notes).toEqual([expect.stringContaining('polled')]);
  });

  it.each<[string, () => unknown, string]>([
    ['a device that is not there', () => planBinding(options(), 'bind', '0000:00:1f.7'), 'not-found'],
    ['a driver that is not loaded', () => planBinding(options(), 'bind', ADDRESS, 'vfio-pci'), 'not-found'],
  ])('refuses %s', (_what, attempt, code) => {
    machine.pci();
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });

  describe('refuses', () => {
    function used(prepare: (folder: string) => void, pci: FakePci = {}): string {
      const folder = machine.pci({ bars: [BAR0], driver: 'ahci', ...pci });
      expect(plan().writes, 'not in use before').toHaveLength(3);
      prepare(folder);
      try {
        plan();
      } catch (error) {
        expect(plan('bind', true).notes[0]).toContain('forced although');
        return error instanceof DeviceError && error.code === 'busy' ? error.message : expect.fail(String(error));
      }
      return expect.fail('was not refused');
    }

    /** Adds an entry of a class below a device. */
    function child(folder: string, kind: string, name: string, files: Record<string, string>): void {
      const path = join(folder, 'x', kind, name);
      for (const [file, text] of Object.entries(files)) machine.write(join(path, file), `${text}\n`);
      machine.link(join(machine.roots.sys, 'class', kind, name), path);
    }

    const mountinfo = (device: string, where: string, rest = 'ext4 /dev/sda1') =>
      machine.write('proc/self/mountinfo', `36 35 ${device} / ${where} rw,noatime shared:1 - ${rest} rw\n`);

    it('a mounted disk', () => {
      const words = used((folder) => {
        child(folder, 'block', 'sda1', { dev: '8:1' });
        mountinfo('8:1', '/home');
      });
      expect(words).toContain('sda1 is mounted on /home');
    });

    it('a disk that is a part of another, or swapped to', () => {
      const words = used((folder) => {
        child(folder, 'block', 'sdb', { dev: '8:16', 'holders/dm-0/x': '' });
        machine.write('proc/swaps', 'Filename\tType\tSize\n/dev/sdb partition 100\n');
      });
      expect(words).toContain('sdb is a part of dm-0; the machine swaps to sdb');
    });

    it('the shared folder of a virtual machine', () => {
      const words = used((folder) => {
        machine.write(join(folder, 'virtio0/mount_tag'), 'host\0');
        mountinfo('0:30', '/', '9p host');
      });
      expect(words).toContain('the shared folder host is mounted on /');
    });

    it('a network interface that is up, not one that is down', () => {
      const words = used((folder) => {
        child(folder, 'net', 'eth0', { flags: '0x1003' });
        child(folder, 'net', 'eth1', { flags: '0x1002' });
      });
      expect(words).toContain('the network interface eth0 is up.');
    });

    it('a console', () => {
      const words = used((folder) => {
        child(folder, 'tty', 'ttyS4', { dev: '4:68' });
        machine.write('sys/class/tty/console/active', 'tty0 ttyS4\n');
      });
      expect(words).toContain('ttyS4 is a console');
    });

    it('the display', () => {
      expect(used((folder) => void machine.write(join(folder, 'boot_vga'), '1\n'))).toContain('the display');
    });

    it('a bridge', () => {
      const words = used((folder) => {
        const config = new Uint8Array(readFileSync(join(folder, 'config')));
        config[0x0e] = 0x81;
        machine.write(join(folder, 'config'), config);
      });
      expect(words).toContain('a bridge');
    });

    it('what a running ring3 has, and names it', () => {
      const ranges = [{ kind: 'memory' as const, start: 0xfeb0_0800n, sizeBytes: 4 }];
      const claims = join(machine.root, 'claims');
      const words = used(
        () => void claimMachine({ directory: claims, holder: 'demo.yaml: ata0', device: 'x', ranges }),
      );
      expect(words).toContain(`demo.yaml: ata0 (process ${process.pid})`);
    });
  });
});
