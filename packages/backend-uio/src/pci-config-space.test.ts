import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PciConfigSpace } from './pci-config-space.ts';
import { FakeMachine } from './testing/fake-machine.ts';

describe.skipIf(process.platform !== 'linux')('configuration space', () => {
  let machine: FakeMachine;
  let path: string;
  beforeEach(() => {
    machine = new FakeMachine();
    path = join(machine.pci(), 'config');
  });
  afterEach(() => machine.close());

  function open(): PciConfigSpace {
    const config = new PciConfigSpace(path);
    return config;
  }

  it('is little endian, in words of each width', () => {
    const config = open();
    expect(config.read32(0)).toBe(0x11e8_1234);
    expect([config.read16(2), config.read8(0)]).toEqual([0x11e8, 0x34]);
    config.write32(0x40, 0x8000_0001);
    config.write16(0x44, 0xbeef);
    config.write8(0x47, 0x5a);
    expect([config.read32(0x40), config.read32(0x44)]).toEqual([0x8000_0001, 0x5a00_beef]);
    config.close();
  });

  it('refuses what does not fit', () => {
    const config = open();
    expect(() => config.read16(1)).toThrow(RangeError);
    expect(() => config.read32(256)).toThrow(RangeError);
    expect(() => config.read8(-1)).toThrow(RangeError);
    expect(() => config.write8(0x40, 256)).toThrow(RangeError);
    expect(() => config.write16(0x40, -1)).toThrow(RangeError);
    config.close();
  });

  it('says that the rest is for CAP_SYS_ADMIN where the kernel shows 64 bytes', () => {
    truncateSync(path, 64);
    const config = open();
    expect(config.read8(0x3d)).toBe(1);
    expect(() => config.read8(0x40)).toThrow(
      expect.objectContaining({ code: 'permission', message: expect.stringContaining('CAP_SYS_ADMIN') }),
    );
    config.close();
  });

  it('throws closed after its end, which may come twice', () => {
    const config = open();
    config.close();
    config.close();
    expect(() => config.read8(0)).toThrow(expect.objectContaining({ code: 'closed' }));
  });

  it('is not there: not-found', () => {
    path = join(machine.root, 'config');
    expect(open).toThrow(expect.objectContaining({ code: 'not-found' }));
  });

  it.skipIf(process.getuid?.() === 0)('can be read where it may not be written, and names the rule', async () => {
    const { chmodSync } = await import('node:fs');
    chmodSync(path, 0o444);
    const config = open();
    expect(config.writable).toBe(false);
    expect(config.read16(0)).toBe(0x1234);
    expect(() => config.write8(5, 0)).toThrow(expect.objectContaining({ code: 'permission' }));
    config.close();
  });
});
