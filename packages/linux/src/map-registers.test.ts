import { readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { MemoryRegion } from '@ring3/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pageSizeBytes } from './libc.ts';
import { mappedBytes, mapRegisters, pageSpan, refuseHost } from './map-registers.ts';
import type { MapOptions, MappedRegisters } from './mapping.ts';
import { MemoryFile } from './test-memory-file.ts';

const onLinux = describe.skipIf(process.platform !== 'linux');

onLinux('mapRegisters', () => {
  let file: MemoryFile;
  let open: MappedRegisters[];

  beforeEach(() => {
    file = new MemoryFile(0x10_0000);
    open = [];
  });
  afterEach(() => {
    for (const registers of open) registers.close();
    file.close();
    expect(mappedBytes()).toBe(0);
  });

  function map(options: Partial<MapOptions> = {}): MappedRegisters {
    const registers = mapRegisters({ path: file.path, fileOffset: 0n, leadBytes: 0, sizeBytes: 0x1000, ...options });
    open.push(registers);
    return registers;
  }

  function bytes(offset: number, length: number): Buffer {
    const into = Buffer.alloc(length);
    readSync(file.fd, into, 0, length, offset);
    return into;
  }

  it('reads what the file holds, little-endian and unsigned, in each width', () => {
    writeSync(file.fd, Buffer.from('fefdfcfbfaf9f8f7', 'hex'), 0, 8, 0x10);
    const { access } = map();
    expect(access.read(0x11, 8)).toBe(0xfd);
    expect(access.read(0x12, 16)).toBe(0xfbfc);
    expect(access.read(0x10, 32)).toBe(0xfbfcfdfe);
    expect(access.read64?.(0x10)).toBe(0xf7f8f9fa_fbfcfdfen);
  });

  it('writes the bytes of the width and no others', () => {
    const { access } = map();
    access.write(0x01, 8, 0xff);
    access.write(0x06, 16, 0xeeef);
    access.write(0x0c, 32, 0xfedcba98);
    access.write64?.(0x18, 0xffff_eeee_dddd_ccccn);
    expect(bytes(0, 0x20).toString('hex')).toBe(
      `00ff00000000efee${'00'.repeat(4)}98badcfe${'00'.repeat(8)}ccccddddeeeeffff`,
    );
  });

  it.each([4, 28, 32, 36, 16_384, 16_388, 40_004])('copies a block of %i bytes and nothing around it', (length) => {
    const long = Buffer.from(Array.from({ length }, (_, index) => 1 + ((index * 7) % 255)));
    const { access } = map({ sizeBytes: 0x10_0000 });
    access.writeBlock?.(0x100, long);
    expect(bytes(0xfc, length + 8).equals(Buffer.concat([Buffer.alloc(4), long, Buffer.alloc(4)]))).toBe(true);
    const block = new Uint8Array(length);
    access.readBlock?.(0x100, block);
    expect(Buffer.from(block).equals(long)).toBe(true);
  });

  it.each([8, 16, 32] as const)('moves a FIFO of %i-bit words through one register', (width) => {
    const { access } = map();
    writeSync(file.fd, Buffer.from('a1b2c3d4', 'hex'), 0, 4, 0x40);
    const word = 'a1b2c3d4'.slice(0, width / 4);
    const into = new Uint8Array(40_000);
    access.readFifo?.(0x40, width, into);
    expect(Buffer.from(into).toString('hex')).toBe(word.repeat(40_000 / (width / 8)));
    access.writeFifo?.(0x80, width, Buffer.concat([Buffer.alloc(39_996), Buffer.from('11223344', 'hex')]));
    expect(bytes(0x80, 8).toString('hex')).toBe(`${'11223344'.slice(-width / 4)}0000000000000000`.slice(0, 16));
  });

  it('moves an empty FIFO and an empty block without touching anything', () => {
    const { access } = map();
    access.readFifo?.(0, 16, new Uint8Array(0));
    access.writeFifo?.(0, 16, new Uint8Array(0));
    access.readBlock?.(0, new Uint8Array(0));
    access.writeBlock?.(0, new Uint8Array(0));
    access.barrier?.();
    expect(file.touchedBytes).toBe(0);
  });

  it('begins at the lead, in the page that was named', () => {
    const page = pageSizeBytes();
    const { access } = map({ fileOffset: BigInt(page), leadBytes: 0x80, sizeBytes: 0x40 });
    access.write(0, 32, 0x12345678);
    expect(bytes(page + 0x80, 4).readUInt32LE()).toBe(0x12345678);
  });

  it('keeps many mappings apart', () => {
    const page = pageSizeBytes();
    const all = Array.from({ length: 8 }, (_, index) => map({ fileOffset: BigInt(page * index), sizeBytes: page }));
    for (const [index, { access }] of all.entries()) access.write(page - 4, 32, index + 1);
    for (const [index] of all.entries()) expect(bytes(page * (index + 1) - 4, 4).readUInt32LE()).toBe(index + 1);
    expect(mappedBytes()).toBe(8 * page);
  });

  it('maps more than its usual memory has', () => {
    const large = new MemoryFile(0x200_0000);
    const { access } = map({ path: large.path, sizeBytes: 0x200_0000 });
    access.write(0x1ff_fffc, 32, 0xcafe);
    expect(access.read(0x1ff_fffc, 32)).toBe(0xcafe);
    large.close();
  });

  it('leaves no mapping behind after 1,000', () => {
    map().close();
    const before = neighbours();
    for (let round = 0; round < 1000; round++) {
      const registers = map({ sizeBytes: 0x1000 * (1 + (round % 5)) });
      registers.access.write(0, 32, round);
      registers.close();
    }
    expect(mappedBytes()).toBe(0);
    expect(neighbours()).toEqual(before);
  });

  /** The lines of /proc/self/maps in the memory where windows lie. */
  function neighbours(): string[] {
    const registers = map();
    const lines = readFileSync('/proc/self/maps', 'utf8').split('\n');
    const home = startOf(lines.find((line) => line.includes('ring3-registers')) ?? '');
    registers.close();
    const after = readFileSync('/proc/self/maps', 'utf8').split('\n');
    return after.filter((line) => line !== '' && Math.abs(startOf(line) - home) < 0x100_0000);
  }

  it('reads zeros after close, and a second close is none', () => {
    const registers = map();
    registers.access.write(0, 32, 0xffffffff);
    registers.close();
    const next = map();
    registers.close();
    registers.access.write(4, 32, 7);
    registers.access.writeFifo?.(4, 16, new Uint8Array(2).fill(7));
    registers.access.write64?.(8, 7n);
    const block = new Uint8Array(64).fill(1);
    registers.access.readBlock?.(0, block);
    expect(registers.access.read(0, 32)).toBe(0);
    expect(registers.access.read64?.(0)).toBe(0n);
    expect(block).toEqual(new Uint8Array(64));
    expect(next.access.read(0, 32)).toBe(0xffffffff);
    expect(bytes(4, 12)).toEqual(Buffer.alloc(12));
    expect(String(registers)).toContain('closed');
  });

  it('reads no register for a person who prints it', () => {
    const registers = map();
    const region = new MemoryRegion({ name: 'regs', sizeBytes: 0x1000, memoryType: 'uncached' }, registers.access);
    for (const value of [registers, registers.access, region]) {
      inspect(value, { showHidden: true, depth: 9, getters: true });
      JSON.stringify(value);
      expect(value).toEqual(value);
    }
    expect(inspect(registers)).toMatch(/MappedRegisters .* at 0x0, 0x1000 bytes/);
    expect(file.touchedBytes).toBe(0);
  });

  it('refuses writes to registers that are mapped for reading only', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ring3-'));
    const path = join(folder, 'registers');
    writeFileSync(path, Buffer.alloc(0x1000, 0x5a), { mode: 0o444 });
    const { access } = map({ path, writable: false });
    expect(access.read(0, 32)).toBe(0x5a5a5a5a);
    for (const write of [
      () => access.write(0, 8, 1),
      () => access.writeFifo?.(0, 8, new Uint8Array(1)),
      () => access.writeBlock?.(0, new Uint8Array(4)),
      () => access.write64?.(0, 1n),
    ]) {
      expect(write).toThrow(expect.objectContaining({ code: 'permission' }));
    }
    await rm(folder, { recursive: true });
  });

  it('says which call failed, where and why', () => {
    expect(() => map({ path: '/dev/null' })).toThrow('mmap /dev/null: ENODEV');
    expect(() => map({ path: '/nowhere' })).toThrow('open /nowhere: ENOENT');
    expect(() => map({ path: '/dev/null' })).toThrow(
      expect.objectContaining({ name: 'SystemCallError', call: 'mmap', errno: 19, code: 'ENODEV' }),
    );
  });

  it('refuses numbers that no mapping can have', () => {
    expect(() => map({ fileOffset: 1n })).toThrow(RangeError);
    expect(() => map({ fileOffset: -4096n })).toThrow(RangeError);
    expect(() => map({ leadBytes: 2 })).toThrow(RangeError);
    expect(() => map({ sizeBytes: 0 })).toThrow(RangeError);
    expect(() => map({ lengthBytes: 0xfff })).toThrow(RangeError);
    expect(() => map({ sizeBytes: 0x10_0004 })).toThrow('the file has only 0x100000 bytes');
    expect(() => map({ path: '/dev/zero', sizeBytes: 2 ** 33 })).toThrow('too large');
  });

  it('refuses a 64-bit access across two 64-bit words', () => {
    const { access } = map({ leadBytes: 4, sizeBytes: 16 });
    expect(() => access.read64?.(0)).toThrow(RangeError);
    expect(() => access.write64?.(0, 1n)).toThrow(RangeError);
    access.write64?.(4, 1n);
    expect(access.read64?.(4)).toBe(1n);
  });
});

describe('pageSpan', () => {
  it.each([
    [0x1080n, 0x40, 0x1000, 0x1000n, 0x80, 0x1000],
    [0x1ff0n, 0x20, 0x1000, 0x1000n, 0xff0, 0x2000],
    [0x43c1_1080n, 0x40, 0x4000, 0x43c1_0000n, 0x1080, 0x4000],
    [0x43c1_1080n, 0x40, 0x1_0000, 0x43c1_0000n, 0x1080, 0x1_0000],
    [0xff_ffff_f000n, 0x1000, 0x1000, 0xff_ffff_f000n, 0, 0x1000],
  ])('%s, %i bytes, pages of %i', (start, sizeBytes, pageBytes, fileOffset, leadBytes, lengthBytes) => {
    expect(pageSpan(start, sizeBytes, pageBytes)).toEqual({ fileOffset, leadBytes, lengthBytes });
  });
});

describe('refuseHost', () => {
  it('takes little-endian 64-bit hosts only', () => {
    expect(() => refuseHost('LE', 'x64')).not.toThrow();
    expect(() => refuseHost('LE', 'arm64')).not.toThrow();
    expect(() => refuseHost('BE', 's390x')).toThrow('s390x is a big-endian host');
    expect(() => refuseHost('LE', 'arm')).toThrow('arm is a 32-bit host');
  });
});

function startOf(line: string): number {
  return Number.parseInt(line.split('-')[0] ?? '', 16);
}
