import { openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claimMachine } from '@ring3/linux';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ring3Here } from './testing/in-process.ts';
import { machineFolder } from './testing/machine-folder.ts';
import { rigFile, ring3, ring3With, temporaryFolder } from './testing/runner-process.ts';

const RIGS = join(import.meta.dirname, '..', '..', '..', 'rigs');
const EDU = ['--config', join(RIGS, 'edu.yaml')];

/** A piece of a file that is large and empty. */
function bytesOf(path: string, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  readSync(openSync(path, 'r'), bytes, 0, length, position);
  return bytes;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A device that interrupts every millisecond, and counts reads. */
function tickerRig(trigger: 'edge' | 'level'): string {
  const file = join(temporaryFolder(), 'rig.yaml');
  const driver = join(import.meta.dirname, 'fixtures', 'ticker.ts');
  const config = { version: 1, devices: { tick0: { driver, backend: { type: 'sim', options: { trigger } } } } };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Runs a command in this process on a machine of files. */
function ring3On(environment: Readonly<Record<string, string>>, ...args: string[]) {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  return ring3Here(...args);
}

describe('registers by name', () => {
  it('peek prints the value with its fields on stdout, and talks on stderr', async () => {
    expect(await ring3('peek', 'edu0.identification', ...EDU)).toEqual({
      status: 0,
      stdout: '0x010000ed (DEVICE=0xed MAJOR=0x1)\n',
      stderr: 'simulated: the device is switched on for this command\n',
    });
  });

  it('peek --json prints the same for programs', async () => {
    const { stdout } = await ring3Here('peek', 'edu0.identification', '--json', ...EDU);
    expect(JSON.parse(stdout)).toEqual({
      target: 'edu0.identification',
      width: 32,
      values: [{ at: '0x0', value: '0x010000ed', fields: { DEVICE: 237, MINOR: 0, MAJOR: 1 } }],
    });
  });

  it('peek --count reads a space word by word', async () => {
    const { stdout } = await ring3Here('peek', 'edu0.bar0+0x20', '--width', '32', '--count', '3', ...EDU);
    expect(stdout).toBe('0x00000020  0x00000000\n0x00000024  0x00000000\n0x00000028  0xffffffff\n');
  });

  it('dump leaves out what repeats', async () => {
    const { stdout } = await ring3Here('dump', 'edu0.bar0', '0x60', '--width', '32', ...EDU);
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      '00000000: 010000ed 00000000 00000000 ffffffff',
      '00000010: ffffffff ffffffff ffffffff ffffffff',
    ]);
  });

  it('peek, dump and watch read each word once, in order', async () => {
    const config = ['--width', '32', '--config', tickerRig('edge')];
    expect((await ring3Here('dump', 'tick0.registers+8', '20', ...config)).stdout).toBe(
      '00000008: 00000001 00000002 00000003 00000004\n00000018: 00000005\n',
    );
    const { stdout } = await ring3Here('peek', 'tick0.registers', '--count', '3', ...config);
    expect(stdout.match(/0x\w+$/gm)).toEqual(['0x00000001', '0x00000002', '0x00000003']);
    const watched = await ring3Here('watch', 'tick0.registers', '--interval', '1', '--until', '4', ...config);
    expect(watched.stdout.match(/0x\w+$/gm)).toEqual(['0x00000001', '0x00000002', '0x00000003', '0x00000004']);
  });

  it('watch ends when the value is there, and with status 1 when it does not come', async () => {
    expect(await ring3Here('watch', 'edu0.status', '--until', '0', ...EDU)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^ +0\.\d{3} {2}0x00000000\n$/),
    });
    const late = await ring3Here('watch', 'edu0.status', '--until', '1', '--mask', '1', '--seconds', '0', ...EDU);
    expect(late).toMatchObject({ status: 1, stderr: expect.stringContaining('it was not 0x1 when the watch ended') });
  });

  it('a register whose read acts needs --yes where nobody can be asked', async () => {
    const config = ['--config', rigFile(temporaryFolder(), { sizeMiB: 1 })];
    const refused = await ring3('peek', 'ata0.command0.status', ...config);
    expect(refused.stderr).toMatch(/reading changes the device: status \(takes the interrupt back.*add --yes/);
    expect(refused.status).toBe(64);
    const { stdout } = await ring3Here('dump', 'ata0.command0+1', '7', '--width', '8', '--yes', ...config);
    expect(stdout).toMatch(/^00000001: [0-9a-f]{2} /);
  });

  it.skipIf(process.platform !== 'linux')(
    'a device whose registers cannot be had is closed before its claim ends',
    async () => {
      const folder = temporaryFolder();
      const fixture = (name: string) => join(import.meta.dirname, 'fixtures', `${name}.ts`);
      const card0 = { driver: fixture('loud'), backend: { type: fixture('lasting-card'), folder, hidden: true } };
      writeFileSync(join(folder, 'rig.yaml'), JSON.stringify({ version: 1, devices: { card0 } }));
      const args = ['--width', '32', '--config', join(folder, 'rig.yaml')];
      const { status, stderr } = await ring3Here('peek', 'card0.registers', ...args);
      expect({ status, stderr }).toMatchObject({ status: 77, stderr: expect.stringContaining('are hidden') });
      expect(readFileSync(join(folder, 'trace'), 'utf8')).toBe('open\nclose while held by ring3 peek\n');
    },
  );

  it('a device that the configuration does not have is not found', async () => {
    const { status, stderr } = await ring3Here('peek', 'edu1.status', ...EDU);
    expect(stderr).toContain('edu.yaml has no device "edu1"; did you mean "edu0"?');
    expect(status).toBe(69);
  });
});

describe.skipIf(process.platform !== 'linux')('a machine that is made of files', () => {
  it('devices shows what is there, which driver fits, and what stands in the way', async () => {
    const { environment } = machineFolder();
    const { stdout, status } = await ring3With(environment, 'devices');
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^DEVICE +BACKEND +DRIVER +IDENTITY$/);
    expect(lines[1]).toMatch(/^0000:00:04\.0 +uio +edu +PCI 1234:11e8 class 0x00ff00$/);
    expect(lines[2]).toBe('    memory 0xfea00000-0xfea00fff');
    expect(lines[3]).toMatch(/^ {4}! no UIO driver is bound.*ring3 bind 0000:00:04\.0$/);
    expect(lines[4]).toMatch(/^0000:00:05\.0 +uio +- /);
    expect(lines[6]).toBe('    ! the kernel driver e1000 has it: ring3 bind 0000:00:05.0');
    expect(status).toBe(0);
  });

  it('devices --json has the obstacles for programs', async () => {
    const { stdout } = await ring3On(machineFolder().environment, 'devices', '--json');
    expect(JSON.parse(stdout)).toMatchObject([
      { name: '0000:00:04.0', backend: 'uio', drivers: ['edu'], obstacles: [expect.stringContaining('no UIO')] },
      { name: '0000:00:05.0', drivers: [], obstacles: [expect.stringContaining('e1000')] },
    ]);
  });

  it('peek and poke reach physical memory', async () => {
    const { root, environment } = machineFolder();
    const run = (...args: string[]) => ring3On(environment, ...args);
    expect((await run('peek', '0x43c00000', '--width', '32')).stdout).toBe('0x010000ed\n');
    expect((await run('peek', '0x43c00000', '--width', '64')).stdout).toBe('0x44332211010000ed\n');
    expect((await run('peek', '0x43c00006', '--width', '16')).stdout).toBe('0x4433\n');
    const written = await run('poke', '0x43c00008', '0x12345678', '9', '--width', '32');
    expect(written).toMatchObject({ stdout: '', stderr: 'wrote 0x12345678 0x00000009 to 0x43c00008, 32 bits\n' });
    expect([...bytesOf(join(root, 'dev/mem'), 0x43c0_0008, 8)]).toEqual([0x78, 0x56, 0x34, 0x12, 9, 0, 0, 0]);
  });

  it('peek reaches a base address register of a PCI function', async () => {
    const { environment } = machineFolder();
    const { stdout } = await ring3On(environment, 'peek', 'pci:0000:00:04.0/bar0+0x10', '--width', '32');
    expect(stdout).toBe('0x5a5a5a5a\n');
  });

  it('a device that a live process has claimed is refused with its holder, unless it is shared', async () => {
    const { environment } = machineFolder();
    const claim = claimMachine({
      directory: environment['RING3_CLAIMS'] ?? '',
      holder: 'demo.yaml: fpga0',
      device: 'fpga',
      ranges: [{ kind: 'memory', start: 0x43c0_0000n, sizeBytes: 0x1000 }],
    });
    onTestFinished(() => claim.release());
    const peek = ['peek', '0x43c00000', '--width', '32'];
    const refused = await ring3On(environment, ...peek);
    expect(refused.stderr).toMatch(/demo\.yaml: fpga0.*--shared/);
    expect(refused).toMatchObject({ status: 75, stdout: '' });
    expect((await ring3On(environment, ...peek, '--shared')).stdout).toBe('0x010000ed\n');
  });
});

describe.skipIf(process.platform !== 'linux')('bind', () => {
  const PCI = '0000:00:05.0';

  it('--dry-run shows each write and the way back, and writes nothing', async () => {
    const { root, environment } = machineFolder();
    const { status, stdout, stderr } = await ring3On(environment, 'bind', PCI, '--dry-run', '--json');
    const plan = JSON.parse(stdout);
    const folder = join(root, 'sys/bus/pci/devices', PCI);
    expect(plan).toMatchObject({ action: 'bind', address: PCI, driver: 'uio_pci_generic', from: 'e1000' });
    expect(plan.writes[0]).toEqual({ path: join(folder, 'driver_override'), value: 'uio_pci_generic' });
    expect(plan.undo[0]).toEqual({ path: join(folder, 'driver_override'), value: '' });
    expect(stderr).toContain(`  echo uio_pci_generic > ${folder}/driver_override\n`);
    expect(readFileSync(join(folder, 'driver_override'), 'utf8')).toBe('(null)\n');
    expect(status).toBe(0);
  });

  it('needs --yes where nobody can be asked, and shows the plan all the same', async () => {
    const { root, environment } = machineFolder();
    const { status, stdout, stderr } = await ring3On(environment, 'bind', PCI);
    expect(stderr).toContain('driver_override');
    expect(stderr).toContain(`${PCI} is taken from e1000 and given to uio_pci_generic. There is no terminal`);
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
    expect(readFileSync(join(root, 'sys/bus/pci/devices', PCI, 'driver_override'), 'utf8')).toBe('(null)\n');
  });

  it('unbind has nothing to do where the driver does not have it', async () => {
    const { stdout } = await ring3On(machineFolder().environment, 'unbind', PCI);
    expect(stdout).toBe(`${PCI}: nothing to do: uio_pci_generic does not have it\n`);
  });
});

describe('irq', () => {
  it('counts interrupts until there were so many', async () => {
    const { status, stdout, stderr } = await ring3(
      'irq',
      'tick0',
      '--count',
      '5',
      '--json',
      '--config',
      tickerRig('edge'),
    );
    expect(stderr).toContain('tick0: IRQ 11, edge');
    expect(JSON.parse(stdout)).toMatchObject({ device: 'tick0', events: 5, missed: 0 });
    expect(status).toBe(0);
  });

  it('says that a level is masked after each', async () => {
    const { stdout, stderr } = await ring3Here('irq', 'tick0', '--count', '3', '--config', tickerRig('level'));
    expect(stderr).toContain('IRQ 11, level, masked for 10 ms after each: nobody clears its cause');
    expect(stdout).toMatch(/ s {2}3 interrupts {2}[\d.]+\/s in all\n$/);
  });

  it('ends when the device goes, with what was counted', async () => {
    const fixture = (name: string) => join(import.meta.dirname, 'fixtures', `${name}.ts`);
    const file = join(temporaryFolder(), 'rig.yaml');
    const card0 = { driver: fixture('ticker'), backend: { type: fixture('leaving-card') } };
    writeFileSync(file, JSON.stringify({ version: 1, devices: { card0 } }));
    const { status, stdout, stderr } = await ring3Here('irq', 'card0', '--count', '5', '--json', '--config', file);
    expect(stderr).toContain('card0: no interrupt will come any more: it was pulled out');
    expect(JSON.parse(stdout)).toMatchObject({ events: 1 });
    expect(status).toBe(69);
  });

  it.skipIf(process.platform !== 'linux')('--shared reads the counter of the kernel and opens nothing', async () => {
    const { environment } = machineFolder();
    const args = ['irq', 'tick0', '--shared', '--seconds', '0', '--json', '--config', tickerRig('edge')];
    const { stdout, stderr } = await ring3On(environment, ...args);
    expect(stderr).toBe('tick0: IRQ 11, counted by the kernel for all who share it\n');
    expect(JSON.parse(stdout)).toMatchObject({ events: 0 });
  });
});
