import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEVMEM_DEVICE, obstructed, type Patient, patient, UIO_DEVICE } from './test-patient.ts';

let machine: Patient;
beforeEach(() => {
  machine = patient();
});
afterEach(() => machine.remove());

test('nothing is wrong with a good machine and its devices', () => {
  machine.add(UIO_DEVICE);
  machine.add(DEVMEM_DEVICE);
  expect(machine.complaints()).toBe('');
  expect(machine.findings().map(({ about, says }) => `${about}: ${says}`)).toMatchSnapshot();
});

describe('cause and remedy are told', () => {
  test('the kernel has no UIO module', () => {
    machine.add(UIO_DEVICE);
    machine.write('sys/bus/pci/devices/0000:00:04.0/uio', undefined);
    machine.write('sys/class/uio', undefined);
    machine.write('sys/module/uio', undefined);
    machine.write('sys/module/uio_pci_generic', undefined);
    machine.write('modules/modules.dep', 'kernel/fs/ext4/ext4.ko:\n');
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('the UIO module is there and not loaded', () => {
    machine.add(UIO_DEVICE);
    machine.write('sys/bus/pci/devices/0000:00:04.0/uio', undefined);
    machine.write('sys/class/uio', undefined);
    machine.write('sys/module/uio', undefined);
    machine.write('sys/module/uio_pci_generic', undefined);
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('a board whose kernel has no platform UIO', () => {
    machine.write('proc/device-tree/model', 'board');
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('platform UIO that was not told what to take', () => {
    machine.write('proc/device-tree/model', 'board');
    machine.write('sys/module/uio_pdrv_genirq/parameters/of_id', '(null)\n');
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('no permission for the files of a UIO device', () => {
    machine.add(UIO_DEVICE);
    for (const part of ['/dev/uio0', '/config', '/resource0']) machine.forbid(part);
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('no permission for /dev/mem', () => {
    machine.add(DEVMEM_DEVICE);
    machine.forbid('/dev/mem');
    machine.write('proc/self/status', 'CapEff:\t0000000000000000\n');
    machine.write('proc/iomem', '00000000-00000000 : System RAM\n');
    machine.facts({ portError: 'open I/O ports 0080-0080: ioperm: EPERM' });
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('/dev/mem is closed: there is none', () => {
    machine.add(DEVMEM_DEVICE);
    machine.write('dev/mem', undefined);
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('a driver of the kernel holds the region', () => {
    machine.write('proc/iomem', '43c00000-43c00fff : 43c00000.gpio gpio@43c00000\n');
    machine.write('sys/bus/platform/devices/43c00000.gpio/driver', '-> ../../drivers/axi-gpio');
    const text =
      'regs: the kernel holds 0x43c00000-0x43c00fff "43c00000.gpio" (/proc/iomem): unbind that driver, or write ignoreKernelClaims: true to share it';
    machine.add(obstructed(DEVMEM_DEVICE, text));
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('another driver of the kernel is bound to a PCI device', () => {
    machine.write('sys/bus/pci/devices/0000:00:04.0/driver', '-> ../../drivers/e1000');
    machine.add(obstructed(UIO_DEVICE, 'the kernel driver e1000 has it: ring3 bind 0000:00:04.0'));
    expect(machine.complaints()).toMatchSnapshot();
    expect(machine.findings().find(({ about }) => about === 'device edu0')?.says).toContain(
      'driver of the kernel: e1000',
    );
  });

  test('another rig has the device', () => {
    machine.add(DEVMEM_DEVICE);
    const ranges = [{ kind: 'memory' as const, start: 0x43c0_0f00n, sizeBytes: 0x200 }];
    machine.claim({ holder: 'board.yaml: gpio0', pid: 4711, device: 'gpio@43c00f00', ranges });
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('a device that was not found', () => {
    const text = 'board.yaml:4:5: devices.edu0.backend: no device at PCI address 0000:00:04.0; there are: none';
    machine.add({ ...UIO_DEVICE, description: undefined, problems: [text] });
    expect(machine.complaints()).toMatchSnapshot();
  });

  test.each([
    ['arm', 'LE'],
    ['s390x', 'BE'],
    ['riscv64', 'LE'],
  ] as const)('the wrong architecture: %s', (arch, endianness) => {
    machine.facts({ arch, endianness });
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('another operating system', () => {
    machine.facts({ platform: 'darwin', arch: 'arm64' });
    expect(machine.complaints()).toMatchSnapshot();
    expect(machine.findings()).toHaveLength(4);
  });

  test.each(['20.20.2', '22.17.1'])('the old Node %s', (nodeVersion) => {
    machine.facts({ nodeVersion });
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('native code does not load', () => {
    machine.facts({ nativeError: "Cannot find module '@yuuang/ffi-rs-linux-x64-gnu'", engine: undefined });
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('an engine that nobody has proven, and one that drops accesses', () => {
    machine.facts({ engine: { ok: true, proven: false, words: 'V8 15.0 is not in the list of proven engines' } });
    expect(machine.complaints()).toMatchSnapshot();
    machine.facts({ engine: { ok: false, proven: false, words: 'V8 15.0 merged two reads' } });
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('lockdown', () => {
    machine.add(UIO_DEVICE);
    machine.write('sys/kernel/security/lockdown', 'none [integrity] confidentiality\n');
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('a kernel without ioperm', () => {
    machine.facts({ portError: 'ioperm: ENOSYS; this kernel was built without CONFIG_X86_IOPL_IOPERM' });
    expect(machine.complaints()).toMatchSnapshot();
    machine.write('sys/kernel/security/lockdown', 'none [integrity] confidentiality\n');
    expect(machine.complaints()).not.toContain('through: dev-port');
  });

  test('a limit on address space', () => {
    machine.write('proc/self/limits', 'Max address space         4294967296   unlimited   bytes\n');
    expect(machine.complaints()).toMatchSnapshot();
    machine.facts({ engine: undefined, mappingError: 'no address space for a mapping' });
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('claims of others that are kept from this user', () => {
    machine.add(UIO_DEVICE);
    machine.hideClaims('cannot see who has claimed devices of this machine: EACCES');
    expect(machine.complaints()).toMatchSnapshot();
  });

  test('musl', () => {
    machine.facts({ glibc: undefined });
    expect(machine.complaints()).toMatchSnapshot();
  });
});

test('a UIO node that is no device of the configuration is a warning', () => {
  machine.add(DEVMEM_DEVICE);
  machine.forbid('/dev/uio0');
  expect(machine.complaints()).toMatchSnapshot();
});

test('a file that is not needed may be closed: UIO publishes the registers', () => {
  machine.add(UIO_DEVICE);
  machine.forbid('/resource0');
  expect(machine.findings().filter(({ level }) => level === 'problem')).toHaveLength(1);
  for (const [name, text] of Object.entries({ addr: '0x00000000febf1000\n', offset: '0x0\n' })) {
    machine.write(`sys/bus/pci/devices/0000:00:04.0/uio/uio0/maps/map0/${name}`, text);
  }
  expect(machine.complaints()).toBe('');
});

test('a remedy for one node leaves the rules of the others alone', () => {
  machine.write('sys/class/uio/uio1/name', 'counter\n');
  for (const part of ['/dev/uio0', '/dev/uio1', '/dev/mem']) machine.forbid(part);
  const remedies = machine.findings().flatMap(({ remedy = '' }) => remedy.split('\n'));
  const writes = remedies.filter((line) => line.startsWith('echo ') && line.includes('rules.d'));
  expect(writes).toHaveLength(3);
  for (const line of writes) expect(line).toMatch(/\| sudo tee -a /);
});

test('what no device needs is a warning, what one needs is a problem', () => {
  machine.write('dev/mem', undefined);
  expect(machine.findings().find(({ about }) => about === '/dev/mem')?.level).toBe('warning');
  machine.add(DEVMEM_DEVICE);
  expect(machine.findings().find(({ about }) => about === '/dev/mem')?.level).toBe('problem');
});

test('what cannot be looked up is a warning', () => {
  machine.add(
    obstructed(DEVMEM_DEVICE, 'regs: whether 0x43c00000 is free is not known: /proc/iomem hides it; run it as root'),
  );
  expect(machine.findings().filter(({ level }) => level !== 'ok')).toMatchObject([{ level: 'warning' }]);
});

test('a device without an interrupt line is a warning', () => {
  machine.add(obstructed(UIO_DEVICE, 'the device has no interrupt line (INTx): it is polled'));
  expect(machine.findings().filter(({ level }) => level !== 'ok')).toMatchObject([{ level: 'warning' }]);
});

test('the udev rules of a configuration open its files and nothing else', () => {
  machine.add(UIO_DEVICE);
  machine.write('sys/class/uio/uio1/name', 'counter\n');
  machine.add({ ...UIO_DEVICE, name: 'counter0', section: { select: { name: 'counter' } }, description: undefined });
  machine.add(DEVMEM_DEVICE);
  machine.add({ ...DEVMEM_DEVICE, name: 'simulated0', backend: 'sim' });
  expect(machine.udev()).toMatchSnapshot();
});
