import { describe, expect, it } from 'vitest';
import { createBench } from './test-bench.ts';
import type { Host } from './test-host.ts';

const signature = (host: Host) => [1, 2, 3, 4, 5, 6].map((offset) => host.in8(offset));
const ATA = [0x01, 0x01, 0x01, 0x00, 0x00];
const PACKET = [0x01, 0x01, 0x01, 0x14, 0xeb];

describe('power-on', () => {
  it('keeps BSY until the disk has spun up, then shows the signature', async () => {
    const { bench, controller, host } = await createBench({
      disks: [{ sectors: 1000, timing: { resetUs: 500, spinUpUs: 4_000_000 } }],
    });
    controller.cutPower();
    controller.powerOn();
    bench.advance(4_000_400);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    bench.advance(200);
    expect(host.status).toBe(0x50);
    expect(signature(host)).toEqual([...ATA, 0x00]);
  });
});

describe('software reset', () => {
  it('ends what both devices do, selects device 0 and leaves signatures', async () => {
    const { bench, host } = await createBench({
      disks: [{ sectors: 1000 }, { position: 'slave', sectors: 2000 }],
    });
    host.issue({ command: 0x20, lba: 77, count: 9, slave: true });
    await bench.settle();
    host.control(0x04);
    expect(host.alternateStatus & 0x88).toBe(0x80);
    bench.advance(20);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    host.control(0x00);
    bench.advance(499);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    await bench.settle();
    expect(signature(host)).toEqual([...ATA, 0x00]);
    host.out8(6, 0x50);
    await host.run({ command: 0xf8, slave: true });
    expect(host.address(false)).toBe(1999);
    host.control(0x04);
    host.control(0x00);
    await bench.settle();
    host.out8(7, 0xe5);
    await bench.settle();
    host.out8(6, 0x50);
    expect(host.in8(2)).toBe(0x01); // It was device 0 that executed CHECK POWER MODE.
    expect(signature(host)).toEqual([...ATA, 0x50]);
    expect(bench.idle).toBe(true);
  });

  it('brings no interrupt and forgets the one that waits', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.issue({ command: 0xe7 });
    await bench.settle();
    const before = host.interrupts;
    host.control(0x04);
    host.control(0x00);
    await bench.settle();
    expect(bench.levels[0]).toBe(false);
    expect(host.interrupts).toBe(before);
  });

  it('loses the multiple mode, unless SET FEATURES 66h was there before', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    const reset = async () => {
      host.control(0x04);
      host.control(0x00);
      await bench.settle();
    };
    await host.run({ command: 0xc6, count: 4 });
    await reset();
    expect(await host.run({ command: 0xc4, count: 1 })).toBe(0x51);
    await host.run({ command: 0xc6, count: 4 });
    await host.run({ command: 0xef, features: 0x66 });
    await reset();
    expect(await host.read({ command: 0xc4, count: 4 }, 2048, 2048)).toHaveLength(2048);
    await host.run({ command: 0xef, features: 0xcc });
    await reset();
    expect(await host.run({ command: 0xc4, count: 1 })).toBe(0x51);
  });

  it('can hang for a while, or until the power is cut', async () => {
    const { bench, controller, host } = await createBench({
      disks: [{ sectors: 1000, defects: { resetHangUs: 10_000_000 } }],
    });
    host.control(0x04);
    host.control(0x00);
    bench.advance(9_999_000);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    await bench.settle();
    expect(host.status).toBe(0x50);
    const disk = controller.disk();
    if (disk !== undefined) disk.defects.resetHangUs = Number.POSITIVE_INFINITY;
    host.control(0x04);
    host.control(0x00);
    await bench.settle();
    expect(host.alternateStatus & 0x80).toBe(0x80);
  });
});

describe('EXECUTE DEVICE DIAGNOSTIC', () => {
  it('is done by both devices and reported by device 0', async () => {
    const { bench, host } = await createBench({
      disks: [{ sectors: 1000 }, { position: 'slave', sectors: 1000, defects: { diagnosticCode: 3 } }],
    });
    host.issue({ command: 0x90, slave: true });
    await bench.settle();
    expect(host.interrupts).toBe(1);
    expect(host.status).toBe(0x50);
    expect(signature(host)).toEqual([0x81, ...ATA.slice(1), 0x00]);
    host.out8(6, 0x10);
    expect(host.in8(1)).toBe(3);
  });
});

describe('a device 0 that is alone', () => {
  it('answers for device 1 with its own registers and a status of 0, and ignores commands', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    host.out8(6, 0x10);
    host.out8(2, 0x55);
    host.out8(3, 0xaa);
    expect([host.in8(2), host.in8(3), host.in8(6)]).toEqual([0x55, 0xaa, 0x10]);
    expect([host.status, host.alternateStatus]).toEqual([0, 0]);
    host.out8(7, 0xec);
    await bench.settle();
    expect(host.status).toBe(0);
    host.out8(6, 0x00);
    expect(host.status).toBe(0x50);
    expect(host.in8(2)).toBe(0x55);
  });

  it('can be a ghost that answers with its own status and executes commands', async () => {
    const { host } = await createBench({ disks: [{ sectors: 1000, serial: 'ONE', defects: { ghostSlave: true } }] });
    host.out8(6, 0x10);
    expect(host.status).toBe(0x50);
    const text = (bytes: Uint8Array) => Buffer.from(bytes.subarray(20, 40)).swap16().toString().trim();
    expect(text(await host.read({ command: 0xec, slave: true }, 512))).toBe('ONE');
  });
});

describe('two devices', () => {
  it('take the parameters both, keep results apart, and execute for themselves', async () => {
    const { host } = await createBench({
      disks: [
        { sectors: 1000, serial: 'ONE' },
        { position: 'slave', sectors: 2000, serial: 'TWO' },
      ],
    });
    await host.run({ command: 0xf8 });
    expect(host.address(false)).toBe(999);
    await host.run({ command: 0xf8, slave: true });
    expect(host.address(false)).toBe(1999);
    host.out8(2, 0x77);
    host.out8(6, 0xe0);
    expect(host.in8(2)).toBe(0x77);
  });
});

describe('a packet device', () => {
  const cd = () => createBench({ disks: [{ atapi: true }] });

  it('shows its signature with an empty status', async () => {
    const { host } = await cd();
    expect(host.status).toBe(0x00);
    expect(signature(host)).toEqual([...PACKET, 0x00]);
  });

  it('aborts IDENTIFY DEVICE and READ SECTORS with its type in the registers', async () => {
    const { host } = await cd();
    expect((await host.run({ command: 0xec, lba: 0x123456 })) & 0x89).toBe(0x01);
    expect(signature(host)).toEqual([0x04, ...PACKET.slice(1), 0x00]);
    expect((await host.run({ command: 0x20, lba: 0x123456, count: 3 })) & 0x89).toBe(0x01);
    expect([host.in8(4), host.in8(5)]).toEqual([0x14, 0xeb]);
  });

  it('gives IDENTIFY PACKET DEVICE data', async () => {
    const { host } = await cd();
    const words = new Uint16Array((await host.read({ command: 0xa1 }, 512)).buffer);
    expect((words[0] ?? 0) >>> 14).toBe(2);
    expect(host.status).toBe(0x40);
  });

  it('takes a packet without an interrupt and refuses what it asks for', async () => {
    const { bench, host } = await cd();
    host.issue({ command: 0xa0 });
    await bench.settle();
    expect(host.interrupts).toBe(0);
    expect([host.alternateStatus, host.in8(2)]).toEqual([0x48, 0x01]);
    host.writeFifo(new Uint8Array(12));
    await bench.settle();
    expect(host.interrupts).toBe(1);
    expect([host.status, host.in8(1), host.in8(2)]).toEqual([0x41, 0x54, 0x03]);
  });

  it('obeys DEVICE RESET at any time, without an interrupt', async () => {
    const { bench, host } = await createBench({
      disks: [{ atapi: true, defects: { commands: [{ hangUs: 'forever' }] } }],
    });
    host.issue({ command: 0xa1 });
    bench.advance(1);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    host.out8(7, 0x08);
    await bench.settle();
    expect(host.status).toBe(0x00);
    expect(signature(host).slice(0, 5)).toEqual(PACKET);
    expect(host.interrupts).toBe(0);
    expect(host.violations).toEqual([]);
  });

  it('is not what a disk is: a disk aborts PACKET, IDENTIFY PACKET DEVICE and DEVICE RESET', async () => {
    const { host } = await createBench({ sectors: 1000 });
    for (const command of [0xa0, 0xa1, 0x08]) expect(await host.run({ command })).toBe(0x51);
  });
});

describe('power modes', () => {
  it('are told by CHECK POWER MODE, and standby costs a spin-up', async () => {
    const { bench, host } = await createBench({ disks: [{ sectors: 1000, timing: { spinUpUs: 2_000_000 } }] });
    const mode = async () => {
      await host.run({ command: 0xe5 });
      return host.in8(2);
    };
    expect(await mode()).toBe(0xff);
    await host.run({ command: 0xe1 });
    expect(await mode()).toBe(0x80);
    await host.run({ command: 0xe0 });
    expect(await mode()).toBe(0x00);
    const startUs = bench.nowUs();
    await host.read({ command: 0x20, count: 1 }, 512);
    expect(bench.nowUs() - startUs).toBeGreaterThan(2_000_000);
    expect(await mode()).toBe(0xff);
  });

  it('end with a reset only, after SLEEP', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    await host.run({ command: 0xe6 });
    host.issue({ command: 0xec });
    await bench.settle();
    expect(host.alternateStatus).toBe(0x50);
    expect(host.interrupts).toBe(1);
    host.control(0x04);
    host.control(0x00);
    await bench.settle();
    expect(await host.read({ command: 0xec }, 512)).toHaveLength(512);
  });
});
