import { describe, expect, it } from 'vitest';
import { simulate } from '../simulate.ts';
import { scratchModel } from '../testing/scratch-model.ts';
import { PciConfigSpace } from './pci-config-space.ts';

async function scratch() {
  const sim = await simulate(scratchModel, { memoryStart: 0xfeb0_0000n, portStart: 0xc000n }, { pace: 'manual' });
  return { sim, config: sim.machine.pciConfig('0000:00:01.0') };
}

it('shows the identity where PCI 3.0, section 6.1 has it', async () => {
  const { config } = await scratch();
  expect(config.read(0x00, 32)).toBe(0x5c7a_1234);
  expect(config.read(0x08, 32)).toBe(0xff00_0001);
  expect(config.read(0x0e, 8)).toBe(0);
  expect(config.read(0x2c, 32)).toBe(0x1100_1af4);
  expect(config.read(0x3c, 8)).toBe(10);
  expect(config.read(0x3d, 8)).toBe(1);
});

it('does not let the identity be written', async () => {
  const { config } = await scratch();
  config.write(0x00, 32, 0);
  config.write(0x0a, 16, 0xffff);
  expect(config.read(0x00, 32)).toBe(0x5c7a_1234);
  expect(config.read(0x0a, 16)).toBe(0xff00);
});

it('answers sizing of base address registers by ones', async () => {
  const { config } = await scratch();
  expect(config.read(0x10, 32)).toBe(0xfeb0_0000);
  expect(config.read(0x14, 32)).toBe(0xc001);
  for (const offset of [0x10, 0x14, 0x18]) config.write(offset, 32, 0xffff_ffff);
  expect(config.read(0x10, 32)).toBe(0xffff_ffc0); // 64 bytes of memory
  expect(config.read(0x14, 32)).toBe(0xffff_ffc1); // 64 ports
  expect(config.read(0x18, 32)).toBe(0); // not there
});

it('sizes a 64-bit register over both halves', () => {
  const config = new PciConfigSpace({
    identity: { vendorId: 1, deviceId: 2, classCode: 0x030000, revision: 0 },
    spaces: [{ kind: 'memory', bar: 2, start: 0x80_0000_0000n, sizeBytes: 1 << 20 }],
    interruptPin: 0,
    interruptLine: 0xff,
    interruptPending: () => false,
    changed: () => {},
  });
  expect(config.read(0x18, 32)).toBe(0x4);
  expect(config.read(0x1c, 32)).toBe(0x80);
  config.write(0x18, 32, 0xffff_ffff);
  config.write(0x1c, 32, 0xffff_ffff);
  expect(config.read(0x18, 32)).toBe(0xfff0_0004);
  expect(config.read(0x1c, 32)).toBe(0xffff_ffff);
});

it('refuses a base address that does not fit its size', () => {
  const make = () =>
    new PciConfigSpace({
      identity: { vendorId: 1, deviceId: 2, classCode: 0xff0000, revision: 0 },
      spaces: [{ kind: 'memory', bar: 0, start: 0x1010n, sizeBytes: 0x100 }],
      interruptPin: 0,
      interruptLine: 0xff,
      interruptPending: () => false,
      changed: () => {},
    });
  expect(make).toThrow('BAR 0 cannot be at 0x1010: it decodes 256 bytes, so its start is a multiple of that');
});

describe('an IDE controller', () => {
  const channel = { kind: 'port', bar: 0, start: 0x1f0n, sizeBytes: 8 } as const;
  const control = { kind: 'port', bar: 1, start: 0x3f6n, sizeBytes: 1 } as const;
  const ide = (classCode: number) =>
    new PciConfigSpace({
      identity: { vendorId: 0x8086, deviceId: 0x7010, classCode, revision: 0 },
      spaces: [channel, { ...control, start: 0x3f4n, sizeBytes: 4 }],
      interruptPin: 0,
      interruptLine: 0xff,
      interruptPending: () => false,
      changed: () => {},
    });

  it('in compatibility mode has fixed ports and empty registers', () => {
    const config = ide(0x010180);
    expect(config.read(0x10, 32)).toBe(0);
    expect(config.base(channel)).toBe(0x1f0n);
  });

  it('in native mode has them in the registers', () => {
    const config = ide(0x010185);
    expect(config.read(0x10, 32)).toBe(0x1f1);
    expect(config.base(channel)).toBe(0x1f0n);
  });
});

it('reads all ones while decoding is disabled, of handles and of addresses', async () => {
  const { sim, config } = await scratch();
  const registers = sim.memory('registers');
  const ports = sim.ports('ports');
  config.write(0x04, 16, 0x0001); // memory off, ports on
  expect(registers.read32(0)).toBe(0xffff_ffff);
  registers.write32(0x04, 0x1234);
  expect(sim.machine.memory.read(0xfeb0_0000, 32)).toBe(0xffff_ffff);
  expect(ports.read32(0)).toBe(0x5343_5254);
  config.write(0x04, 16, 0x0002); // the other way round
  expect(registers.read32(0x04)).toBe(0);
  expect(ports.read16(0)).toBe(0xffff);
});

it('follows a function that is moved', async () => {
  const { sim, config } = await scratch();
  config.write(0x10, 32, 0xd000_0000);
  expect(sim.machine.memory.read(0xd000_0000, 32)).toBe(0x5343_5254);
  expect(sim.machine.memory.read(0xfeb0_0000, 32)).toBe(0xffff_ffff);
});

it('shows a pending interrupt in the status, and keeps it from the wire with the disable bit', async () => {
  const { sim, config } = await scratch();
  const registers = sim.memory('registers');
  const source = sim.interrupt();
  source.attach(() => {
    registers.write32(0x08, 0xffff_ffff);
    return 'handled';
  });
  source.enable();
  config.write(0x04, 16, 0x0403);
  registers.write32(0x10, 1);
  await sim.clock.advance(100);
  expect(config.read(0x06, 16)).toBe(0x0008);
  expect(source.statistics.events).toBe(0);
  config.write(0x04, 16, 0x0003);
  await sim.clock.advance(100);
  expect(source.statistics.handled).toBe(1);
  expect(config.read(0x06, 16)).toBe(0);
});

it('starts with bus mastering off and lets it be switched on', async () => {
  const { config } = await scratch();
  expect(config.read(0x04, 16)).toBe(0x0003);
  expect(config.busMaster).toBe(false);
  config.write(0x04, 16, 0xffff);
  expect(config.busMaster).toBe(true);
  expect(config.read(0x04, 16)).toBe(0x0407);
});
