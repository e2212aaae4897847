import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import devmemBackend from '@ring3/backend-devmem';
import uioBackend from '@ring3/backend-uio';
import { afterAll, beforeAll, describe } from 'vitest';
import { eduSuite } from './testing/edu-suite.ts';

const DEVICES = '/sys/bus/pci/devices';

/** The edu devices of the machine, by PCI address. */
function findEdus(): string[] {
  return readdirSync(DEVICES).filter((address) => {
    const id = (name: string) => Number(readFileSync(join(DEVICES, address, name), 'utf8'));
    return id('vendor') === 0x1234 && id('device') === 0x11e8;
  });
}

/** Gives a function to a kernel driver and nobody else; `''` takes it away again. */
function bind(address: string, driver: string): void {
  writeFileSync(join(DEVICES, address, 'driver_override'), `${driver}\n`);
  if (driver === '') writeFileSync(join(DEVICES, address, 'driver/unbind'), address);
  else writeFileSync('/sys/bus/pci/drivers_probe', address);
}

/** Where BAR 0 is. */
function bar0Of(address: string): number {
  return Number(readFileSync(join(DEVICES, address, 'resource'), 'utf8').split(' ')[0]);
}

describe.skipIf(process.env['RING3_VM'] !== '1')('on a real kernel', () => {
  const [first = '', second = ''] = process.env['RING3_VM'] === '1' ? findEdus() : [];

  describe('bound to uio_pci_generic', () => {
    beforeAll(() => bind(first, 'uio_pci_generic'));
    afterAll(() => bind(first, ''));
    eduSuite({ name: '/dev/uioN', module: uioBackend, selector: { select: { pci: first } } });
  });

  eduSuite({
    name: 'plain sysfs',
    module: uioBackend,
    selector: { select: { pci: second } },
    noInterrupt: 'a PCI function without a UIO driver has no interrupt in user space',
  });

  const memory = () => [{ name: 'registers', address: bar0Of(second), size: 0x10_0000 }];
  eduSuite({
    name: '/dev/mem',
    module: devmemBackend,
    selector: { memory: second === '' ? [] : memory() },
    noInterrupt: '/dev/mem has none',
  });
  eduSuite({
    name: '/dev/mem, interrupt polled',
    module: devmemBackend,
    selector: {
      memory: second === '' ? [] : memory(),
      polledInterrupt: { space: 'registers', offset: 0x24, width: 32, intervalUs: 1000 },
    },
  });
});
