import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, writeSync } from 'node:fs';
import process from 'node:process';
import { type Backend, interruptAfter, type OpenDevice, SILENT } from '@ring3/core';
import { type BackendFixture, backendConformance, ManualClock, type Spaces } from '@ring3/core/testing';
import { describe, expect, test } from 'vitest';
import type { DevmemSelector } from './selector.ts';
import { fakeMachine } from './test-machine.ts';

/** Registers of the test device, which is a part of a file: the cause of its interrupt, and scratch. */
const CAUSE = 0x40;
const SCRATCH = 0x0c;
/** Neither at the start of a page nor at its end, on any page size. */
const START = 0x43c0_2f40;
const WINDOW = 0x43c0_8000;

const SELECTOR: DevmemSelector = {
  name: 'scratch',
  memory: [
    { name: 'regs', address: START, size: 0x100, flush: { offset: SCRATCH, width: 32 } },
    { name: 'window', address: WINDOW, size: 0x1_1000, widths: [16, 32] },
  ],
  ports: [{ name: 'ports', start: 0xc3f8, size: 8, through: 'dev-port' }],
  polledInterrupt: { space: 'regs', offset: CAUSE, width: 32, mask: 1 },
};

/** The parts of this process's memory that are a file. */
function mappingsOf(path: string): number {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(path)).length;
}

/** How often this process has a file open. */
function descriptorsOf(path: string): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return undefined; // Closed meanwhile: the folder itself.
    }
  });
  return links.filter((link) => link === path).length;
}

function start(pageBytes: number): BackendFixture {
  const clock = new ManualClock();
  const machine = fakeMachine({ pageBytes, clock });
  const cause = (spaces: Spaces, value: number) => spaces[0]?.write32(CAUSE, value);
  return {
    backend: machine.backend satisfies Backend<DevmemSelector> as Backend,
    selector: SELECTOR,
    settle: clock.settle.bind(clock),
    quiet: () => clock.advance(10_000),
    scratch: [
      { space: 0, offset: SCRATCH, width: 32 },
      { space: 0, offset: 0xff, width: 8 },
      { space: 1, offset: 0x1_0ffe, width: 16 },
      { space: 2, offset: 7, width: 8 },
    ],
    absent: { memory: [{ name: 'regs', resource: 'nowhere' }] },
    mappings: () => mappingsOf(machine.path('dev/mem')) + descriptorsOf(machine.path('dev/port')),
    fifoRead: {
      place: { space: 0, offset: SCRATCH, width: 16 },
      offer: (spaces) => {
        spaces[0]?.write16(SCRATCH, 0x2211);
        return Uint8Array.from({ length: 64 }, (_, index) => (index % 2 === 0 ? 0x11 : 0x22));
      },
    },
    level: { index: 0, raise: (spaces) => cause(spaces, 1), clear: (spaces) => cause(spaces, 0) },
    stop: async () => {
      await machine.backend.close();
      machine.remove();
    },
  };
}

describe.skipIf(process.platform !== 'linux')('on a kernel of files', () => {
  describe.each([4096, 8192, 16384, 65536])('with pages of %i bytes', (pageBytes) => {
    backendConformance({
      name: 'devmem',
      cannot: {
        'count-accesses': 'a file does not count',
        'fifo-write': 'a file keeps the last word only',
        edge: 'polling sees levels only',
        message: 'polling sees levels only',
        'shared-line': 'nobody shares a register that is polled',
        remove: 'a file cannot be pulled out',
      },
      start: async () => start(pageBytes),
    });
  });

  test('registers are where the address says, to the byte', async () => {
    const machine = fakeMachine();
    const file = openSync(machine.path('dev/mem'), 'r+');
    writeSync(file, Uint8Array.of(0x78, 0x56, 0x34, 0x12), 0, 4, START + 8);

    const device = await machine.backend.open(SELECTOR);
    const [regs] = device.description.spaces;
    const space = await spaceOf(device, regs?.name);
    expect(space.read32(8)).toBe(0x1234_5678);
    space.write16(0x10, 0xabcd);
    await device.close();

    const bytes = new Uint8Array(6);
    readSync(file, bytes, 0, 6, START + 0x0e);
    expect([...bytes]).toEqual([0, 0, 0xcd, 0xab, 0, 0]);
    closeSync(file);
    machine.remove();
  });

  test('polling can wait for one value of some bits', async () => {
    const clock = new ManualClock();
    const machine = fakeMachine({ clock });
    const polledInterrupt = {
      space: 'regs',
      offset: CAUSE,
      width: 8,
      mask: 0xc0,
      equals: 0x40,
      intervalUs: 5000,
    } as const;
    const device = await machine.backend.open({ ...SELECTOR, polledInterrupt });
    const registers = await spaceOf(device, 'regs');
    const source = await device.openInterrupt({ index: 0, trigger: 'polled' });
    const seen: number[] = [];
    source.attach(({ atUs }) => {
      seen.push(atUs);
      registers.write8(CAUSE, 0xc1);
      return 'handled';
    });
    source.enable();
    await clock.advance(6000);
    registers.write8(CAUSE, 0x7f);
    await clock.advance(20_000);
    expect(seen).toEqual([10_000]);
    await device.close();
    machine.remove();
  });

  test('a space may begin between words, and takes no wider accesses then', async () => {
    const machine = fakeMachine();
    const selector = (address: number) => ({ memory: [{ name: 'regs', address, size: 4 }] });
    const whole = await machine.backend.open(selector(START));
    const half = await machine.backend.open(selector(START + 2));
    const space = await spaceOf(half, 'regs');
    (await spaceOf(whole, 'regs')).write32(0, 0x4433_2211);
    expect([space.read16(0), space.read8(1), space.description.widths]).toEqual([0x4433, 0x44, [8, 16]]);
    expect(() => space.read32(0)).toThrow(RangeError);
    expect((await machine.backend.describe(selector(START + 3))).spaces[0]?.start).toBe(BigInt(START + 3));
    await machine.backend.close();
    machine.remove();
  });

  test('big-endian registers are read as such, by device or by space', async () => {
    const machine = fakeMachine();
    const memory = [
      { name: 'big', address: START, size: 16 },
      { name: 'little', address: START + 16, size: 16, byteOrder: 'little' as const },
    ];
    const device = await machine.backend.open({ byteOrder: 'big', memory });
    const [big, little] = [await spaceOf(device, 'big'), await spaceOf(device, 'little')];
    big.write32(0, 0x1122_3344);
    little.write32(0, 0x1122_3344);
    expect([big.read8(0), little.read8(0)]).toEqual([0x11, 0x44]);
    await device.close();
    machine.remove();
  });

  test('ports through /dev/port are where their number says, 8 bits wide', async () => {
    const machine = fakeMachine();
    const device = await machine.backend.open({
      ports: [{ name: 'io', start: 0x2f8, size: 8, through: 'dev-port' }],
    });
    const space = await spaceOf(device, 'io');
    space.write8(7, 0x5a);
    expect(readFileSync(machine.path('dev/port'))[0x2ff]).toBe(0x5a);
    expect(() => space.read16(0)).toThrow('only 8 bits');
    expect(String(space)).toBe('IoPortSpace io@2f8 io at 0x2f8, 0x8 bytes, port');
    await device.close();
    machine.remove();
  });

  test.each([
    ['x64', 'uncached'],
    ['arm64', 'device-nGnRnE'],
  ])('on %s registers are %s', async (arch, memoryType) => {
    const machine = fakeMachine({ arch });
    const device = await machine.backend.open(SELECTOR);
    expect((await spaceOf(device, 'regs')).description.memoryType).toBe(memoryType);
    await device.close();
    machine.remove();
  });

  test('polling is said aloud once, waits for its interval and ends with disable()', async () => {
    const said: string[] = [];
    const clock = new ManualClock();
    const machine = fakeMachine({ clock, log: { ...SILENT, info: (message) => void said.push(message) } });
    const device = await machine.backend.open(SELECTOR);
    const registers = await spaceOf(device, 'regs');
    const [resource = { index: 0, trigger: 'polled' as const }] = device.description.interrupts;
    const source = await device.openInterrupt(resource);
    expect(await device.openInterrupt(resource)).toBe(source);
    expect(source.trigger).toBe('polled');
    expect(said).toEqual([
      'scratch@43c02f40 polled: no interrupt reaches this backend; regs 0x40 is read every 1 ms instead, so events are seen that much later',
    ]);

    source.attach(({ atUs }) => {
      registers.write32(CAUSE, 0);
      return atUs === 1000 ? 'handled' : 'not-mine';
    });
    source.enable();
    const waiting = interruptAfter(source, clock, 5000, () => registers.write32(CAUSE, 0xffff_ffff));
    await clock.advance(999);
    expect(source.statistics.events).toBe(0);
    await clock.advance(1);
    expect((await waiting).atUs).toBe(1000);

    source.disable();
    expect(clock.scheduled).toBe(0);
    await device.close();
    machine.remove();
  });
});

async function spaceOf(device: OpenDevice, name: string | undefined) {
  const resource = device.description.spaces.find((space) => space.name === name);
  if (resource === undefined) throw new Error(`no space ${name}`);
  return device.openSpace(resource);
}
