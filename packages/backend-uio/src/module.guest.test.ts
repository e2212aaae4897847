import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type IoPortSpace, type MemoryRegion, SILENT } from '@ring3/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { UioBackend } from './backend.ts';
import type { UioSelector } from './selector.ts';

// The UIO device of the module that the virtual machine brings along: tools/vm/module says what it has.

const NAME = 'ring3-uio-test';
const inMachine = process.env['RING3_VM'] === '1';

/** The platform device: where the module's own attributes are. */
function folder(): string {
  const uio = readdirSync('/sys/class/uio').find(
    (one) => readFileSync(`/sys/class/uio/${one}/name`, 'latin1').trim() === NAME,
  );
  return `/sys/class/uio/${uio}/device`;
}

const attribute = (name: string) => readFileSync(`${folder()}/${name}`, 'latin1').trim();
const set = (name: string, value: string | number) => writeFileSync(`${folder()}/${name}`, String(value));
/** The memory behind a map, as the kernel sees it. */
const kernelWord = (map: number, offset: number) =>
  readFileSync(`/sys/kernel/debug/${NAME}/map${map}`).readUInt32LE(offset);
const milliseconds = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

async function open(settings: Partial<UioSelector> = {}) {
  const backend = new UioBackend({ log: SILENT });
  onTestFinished(() => backend.close());
  const device = await backend.open({ select: { name: NAME }, ...settings });
  const space = (name: string) => {
    const resource = device.description.spaces.find((one) => one.name === name);
    return device.openSpace(resource ?? expect.fail(`no space ${name}`));
  };
  return {
    device,
    memory: (name: string) => space(name) as MemoryRegion,
    ports: (name: string) => space(name) as IoPortSpace,
  };
}

/** The interrupt with an owner who notes how many events the kernel did not deliver one by one. */
async function openInterrupt(settings: Partial<UioSelector> = {}) {
  const { device } = await open(settings);
  const [resource] = device.description.interrupts;
  const source = device.openInterrupt(resource ?? expect.fail('no interrupt'));
  const missed: (number | undefined)[] = [];
  source.attach((interrupt) => {
    missed.push(interrupt.missed);
    return 'handled';
  });
  const events = async (count: number) => {
    while (missed.length < count) await milliseconds(2);
    await milliseconds(20);
    return missed;
  };
  return { device, source, missed, events };
}

describe.skipIf(!inMachine)('the UIO device of the test module', () => {
  beforeAll(() => {
    const file = process.env['RING3_VM_MODULE'];
    if (file === undefined) throw new Error(process.env['RING3_VM_MODULE_ERROR']);
    execFileSync('insmod', [file]);
  });
  afterAll(() => void execFileSync('rmmod', ['ring3_uio_test']));
  beforeEach(() => set('mode', 'edge'));

  it('is found by its name and a range of versions', async () => {
    const backend = new UioBackend({ log: SILENT });
    const description = await backend.describe({ select: { name: NAME, version: '>=1.2 <2' } });
    expect(description.interrupts).toEqual([expect.objectContaining({ trigger: 'message' })]);
    await expect(backend.describe({ select: { name: NAME, version: '>=2' } })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('1.4.2'),
    });
  });

  it('has ranges of the sizes that are left behind their offsets', async () => {
    const { device } = await open();
    expect(device.description.spaces.map(({ kind, name, sizeBytes }) => [kind, name, sizeBytes])).toEqual([
      ['memory', 'registers', 0x1000],
      ['memory', 'mailbox', 0xf80],
      ['memory', 'map2', 0x2000],
      ['memory', 'small', 0x40],
      ['port', 'scratch', 4],
    ]);
  });

  it.each([
    ['registers', 0, 0],
    ['mailbox', 1, 0x80],
    ['map2', 2, 0],
    ['small', 3, 0],
  ])('shows the first and the last register of %s where they are', async (name, map, lead) => {
    const { memory } = await open();
    const region = memory(name);
    const last = region.sizeBytes - 4;
    const content = (offset: number) => (map + 1) * 0x100_0000 + lead + offset;
    expect([region.read32(0), region.read32(last)]).toEqual([content(0), content(last)]);
    region.write16(last + 2, 0xa55a);
    expect(kernelWord(map, lead + last)).toBe(0xa55a_0000 + ((lead + last) & 0xffff));
    region.write32(last, content(last));
    expect(() => region.read8(region.sizeBytes)).toThrow(RangeError);
  });

  it('reaches its ports in 8, 16 and 32 bits', async () => {
    const { ports } = await open();
    const scratch = ports('scratch');
    scratch.write32(0, 0x1234_5678);
    scratch.write8(0, 0x9a);
    scratch.write16(0, 0xbcde);
    expect(scratch.read16(0)).toBe(0xbcde);
    scratch.write32(0, 0x8765_4321);
    expect(scratch.read32(0)).toBe(0x8765_4321);
  });

  it('delivers events one by one, and says how many it had to skip', async () => {
    const { source, events } = await openInterrupt();
    source.enable();
    set('raise', 1);
    expect(await events(1)).toEqual([undefined]);
    set('raise', 5);
    expect(await events(2)).toEqual([undefined, 4]);
    expect(source.statistics).toMatchObject({ events: 2, handled: 2 });
  });

  it('is masked by irqcontrol, and counts what was missed meanwhile', async () => {
    const { source, missed, events } = await openInterrupt();
    source.enable();
    expect(attribute('enabled')).toBe('1');
    source.disable();
    expect(attribute('enabled')).toBe('0');
    set('raise', 3);
    await milliseconds(30);
    expect(missed).toEqual([]);
    source.enable();
    set('raise', 1);
    // What was counted while masked is delivered with the first event that follows.
    expect((await events(1)).reduce((sum: number, one) => sum + 1 + (one ?? 0), 0)).toBe(4);
  });

  it('masks a level at each event, and is re-armed once for each', async () => {
    set('mode', 'level');
    const { source, events } = await openInterrupt({ trigger: 'level' });
    source.enable();
    const before = Number(attribute('irqcontrol'));
    for (let round = 1; round <= 5; round++) {
      set('raise', 1);
      await events(round);
      expect(attribute('enabled')).toBe('1');
    }
    expect(Number(attribute('irqcontrol')) - before).toBe(5);
  });

  it('is masked when it is silenced', async () => {
    const { device, source } = await openInterrupt();
    source.enable();
    device.silence?.();
    expect(attribute('enabled')).toBe('0');
  });

  it('can be removed while it is open: the source completes, reads are all ones, and it comes back', async () => {
    const { device, source } = await openInterrupt();
    const [resource] = device.description.spaces;
    const region = device.openSpace(resource ?? expect.fail('no space')) as MemoryRegion;
    source.enable();
    const driver = `/sys/bus/platform/drivers/${NAME}`;
    writeFileSync(`${driver}/unbind`, NAME);
    expect(await device.gone).toContain('unbound');
    expect(await source.closed).toContain('unbound');
    expect(region.read32(0)).toBe(0xffff_ffff);
    await device.close();
    writeFileSync(`${driver}/bind`, NAME);
    const again = await openInterrupt();
    again.source.enable();
    set('raise', 1);
    expect(await again.events(1)).toEqual([undefined]);
  });
});
