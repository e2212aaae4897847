import { beforeEach, describe, expect, it } from 'vitest';
import { blocks, same } from './test-driver.ts';
import { driveQemu, needsQemu, type QemuDriver } from './test-qemu-driver.ts';

beforeEach(needsQemu);

const WAYS = [
  ['piix3-ide by DMA', 'pc', 'on'],
  ['piix3-ide by PIO', 'pc', 'off'],
  ['cmd646-ide by DMA', 'clipper', 'on'],
  ['cmd646-ide by PIO', 'clipper', 'off'],
] as const;

const BAD = 1003;

describe.each(WAYS)('a bad sector on %s', (_name, machine, dma) => {
  it('fails only the reads that hit it, with its number, and the disk goes on', async () => {
    const faults = [{ event: 'read_aio', sector: BAD } as const];
    const driver = await driveQemu({ machine, options: { dma, retries: 1 }, disks: [{ sectors: 4096, faults }] });
    expect(await outcome(read(driver, BAD - 5, 16))).toMatchObject({ code: 'media', details: { block: BAD } });
    expect(await outcome(read(driver, BAD, 1))).toMatchObject({ code: 'media', details: { block: BAD } });
    expect(await outcome(read(driver, BAD - 40, 40))).toBe('right');
    expect(await outcome(read(driver, BAD + 1, 40))).toBe('right');
    await driver.disk().write(2000, blocks(20, 5));
    expect(await outcome(read(driver, 1990, 40))).toBe('right');
    await driver.stop();
  });

  it('fails only the writes that hit it', async () => {
    const faults = [{ event: 'write_aio', sector: BAD } as const];
    const driver = await driveQemu({ machine, options: { dma, retries: 1 }, disks: [{ sectors: 4096, faults }] });
    expect(await outcome(driver.disk().write(BAD - 5, blocks(16, 9)))).toMatchObject({
      code: 'media',
      details: { block: BAD },
    });
    await driver.disk().write(BAD + 20, blocks(16, 10));
    await driver.disk().flush();
    expect(await outcome(read(driver, BAD + 10, 40))).toBe('right');
    await driver.stop();
  });

  it('fails the flush that cannot be done, and every later one, while reads and writes go on', async () => {
    const faults = [{ event: 'flush_to_disk', once: true } as const];
    const driver = await driveQemu({ machine, options: { dma, retries: 1 }, disks: [{ sectors: 4096, faults }] });
    await driver.disk().write(100, blocks(8, 1));
    expect(await outcome(driver.disk().flush())).toMatchObject({ name: 'DeviceError' });
    expect(await outcome(driver.disk().flush()), 'what was lost stays lost').toMatchObject({ name: 'DeviceError' });
    await driver.disk().write(100, blocks(8, 2));
    expect(await outcome(read(driver, 90, 40))).toBe('right');
    await driver.stop().catch(() => {});
  });
});

describe.each(WAYS)('QEMU killed in mid-transfer on %s', (_name, machine, dma) => {
  it.each([1, 6, 20])('after %i turns: every request ends in an error within a second', async (turns) => {
    const driver = await driveQemu({ machine, options: { dma, interrupts: 'required' }, disks: [{ sectors: 65_536 }] });
    const disk = driver.disk();
    await disk.read(0, new Uint8Array(512));
    const requests = Array.from({ length: 30 }, (_, index) =>
      outcome(disk.read(index * 2000, new Uint8Array(1500 * 512))),
    );
    for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
    driver.kill();
    const startMs = performance.now();
    const outcomes = await Promise.all(requests);
    const tookMs = performance.now() - startMs;
    const failed = outcomes.filter((each) => each !== 'right');
    expect(failed.length).toBeGreaterThan(0);
    for (const each of failed) expect(each).toMatchObject({ name: 'DeviceError', code: 'gone' });
    expect(tookMs).toBeLessThan(1000);
    expect(await outcome(disk.read(0, new Uint8Array(512)))).toMatchObject({ name: 'DeviceError', code: 'gone' });
    await driver.stop();
  });
});

describe.each(WAYS)('a driver that died in mid-command on %s', (_name, machine, dma) => {
  it('leaves hardware on which the next one works', async () => {
    const options = { dma, interrupts: 'required' } as const;
    const first = await driveQemu({ machine, options, disks: [{ sectors: 65_536 }, { sectors: 4096 }] });
    const lost = outcome(first.disk().read(0, new Uint8Array(2000 * 512)));
    await new Promise<void>((resolve) => void setImmediate(resolve));
    const second = await first.again();
    if (dma === 'off') expect(second.said.join('\n')).toContain('in the middle of a transfer');
    expect(await outcome(read(second, 100, 64))).toBe('right');
    await second.disk('disk1').write(7, blocks(9, 3));
    await second.disk('disk1').flush();
    expect(same(second.image(1).subarray(7 * 512, 16 * 512), blocks(9, 3))).toBe(true);
    expect(await lost).not.toBe('right');
    await second.stop();
  });
});

/** Reads, and compares with the image. */
async function read(driver: QemuDriver, block: number, count: number): Promise<void> {
  const into = new Uint8Array(count * 512);
  await driver.disk().read(block, into);
  if (!same(into, driver.image(0).subarray(block * 512, (block + count) * 512))) throw new Error('wrong data');
}

async function outcome(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return 'right';
  } catch (error) {
    return error;
  }
}
