import { describe, expect, it } from 'vitest';
import {
  addressOf,
  flushCommand,
  identifyCommand,
  setMultipleCommand,
  taskFileImage,
  writeCacheCommand,
} from './commands.ts';
import { failingSector, transferCommand } from './transfer-command.ts';

const request = { sectorBytes: 512, multiple: 0, lba48: true, timeoutUs: 1 };

describe('the command for a transfer', () => {
  it.each([
    // operation, lba, sectors, multiple -> opcode, name
    ['read', 0, 1, 0, 0x20, 'READ SECTORS'],
    ['read', 0, 1, 16, 0xc4, 'READ MULTIPLE'],
    ['write', 0, 256, 0, 0x30, 'WRITE SECTORS'],
    ['write', 0, 256, 16, 0xc5, 'WRITE MULTIPLE'],
    ['read', 0, 257, 0, 0x24, 'READ SECTORS EXT'],
    ['read', 0, 257, 16, 0x29, 'READ MULTIPLE EXT'],
    ['write', 2 ** 28, 1, 0, 0x34, 'WRITE SECTORS EXT'],
    ['write', 2 ** 28, 1, 16, 0x39, 'WRITE MULTIPLE EXT'],
    ['write-fua', 0, 1, 16, 0xce, 'WRITE MULTIPLE FUA EXT'],
  ] as const)(
    '%s of sectors from %d, %d of them, multiple %d: %#x',
    (operation, lba, sectors, multiple, opcode, name) => {
      const command = transferCommand({ ...request, operation, lba, sectors, multiple });
      expect(command).toMatchObject({
        opcode,
        name,
        lba,
        count: sectors,
        protocol: operation === 'read' ? 'pio-in' : 'pio-out',
      });
      expect(command.drqBlockBytes).toBe(512 * Math.max(multiple, 1));
    },
  );

  it.each([
    // A19: the last sector that 28 bits reach is 0x0ffffffe, and a command never wraps at 2^28.
    [0x0fff_fffe, 1, 'lba28'],
    [0x0fff_ffff, 1, 'lba48'],
    [0x0fff_fffe, 2, 'lba48'],
    [0x0fff_ff00, 255, 'lba28'],
    [0x0fff_ff00, 256, 'lba48'],
    [2 ** 48 - 65_536, 65_536, 'lba48'],
  ] as const)('A19: at %d, %d sectors: %s', (lba, sectors, addressing) => {
    expect(transferCommand({ ...request, operation: 'read', lba, sectors }).addressing).toBe(addressing);
  });

  it.each([
    [{ lba: 0x0fff_ffff, sectors: 1, lba48: false }],
    [{ lba: 0, sectors: 257, lba48: false }],
    [{ lba: 0, sectors: 65_537, lba48: true }],
    [{ lba: 2 ** 48 - 1, sectors: 2, lba48: true }],
  ])('A19: no command reaches %o', (beyond) => {
    expect(() => transferCommand({ ...request, ...beyond, operation: 'read' })).toThrow(RangeError);
  });
});

describe('the task file', () => {
  it('A19: writes 256 sectors as 0 in 28 bits', () => {
    const command = transferCommand({ ...request, operation: 'read', lba: 0x0234_5678, sectors: 256 });
    expect(taskFileImage(command)).toEqual({
      features: 0,
      count: 0,
      lbaLow: 0x78,
      lbaMid: 0x56,
      lbaHigh: 0x34,
      lbaTop: 0x02,
    });
  });

  it('A19: writes 65536 sectors as 0 in 48 bits', () => {
    const command = transferCommand({ ...request, operation: 'read', lba: 0x1234_5678_9abc, sectors: 65_536 });
    expect(taskFileImage(command)).toEqual({
      ...{ features: 0, count: 0, lbaLow: 0xbc, lbaMid: 0x9a, lbaHigh: 0x78, lbaTop: 0 },
      previous: { count: 0, lbaLow: 0x56, lbaMid: 0x34, lbaHigh: 0x12 },
    });
  });

  it.each([0, 1, 0x0fff_fffe, 0x1000_0000, 0xffff_ffff, 2 ** 32, 2 ** 48 - 2])(
    'names sector %d there and back',
    (lba) => {
      const command = transferCommand({ ...request, operation: 'write', lba, sectors: 1 });
      expect(addressOf(taskFileImage(command))).toBe(lba);
    },
  );

  it.each([
    [flushCommand(false), { opcode: 0xe7, protocol: 'non-data', timeoutUs: 60_000_000 }],
    [flushCommand(true), { opcode: 0xea, protocol: 'non-data', timeoutUs: 60_000_000 }],
    [setMultipleCommand(16), { opcode: 0xc6, count: 16 }],
    [writeCacheCommand(true), { opcode: 0xef, features: 0x02 }],
    [writeCacheCommand(false), { opcode: 0xef, features: 0x82 }],
    [identifyCommand(0), { opcode: 0xec, protocol: 'pio-in', timeoutUs: 5_000_000 }],
    [identifyCommand(2), { opcode: 0xec, timeoutUs: 30_000_000 }],
  ])('%o', (command, expected) => {
    expect(command).toMatchObject(expected);
  });
});

describe('the first bad sector', () => {
  const read = transferCommand({ ...request, operation: 'read', lba: 100, sectors: 8 });
  const write = transferCommand({ ...request, operation: 'write', lba: 100, sectors: 8 });
  const UNC = 0x40;
  const IDNF = 0x10;
  const ABRT = 0x04;

  it.each([
    ['is the one that UNC names', read, { error: UNC, lba: 103, bytesDone: 0 }, 103],
    ['is the one that IDNF names', write, { error: IDNF, lba: 107, bytesDone: 0 }, 107],
    ['is not one outside of the transfer', read, { error: UNC, lba: 108, bytesDone: 1024 }, 102],
    ['is the next of a read that names none', read, { error: UNC, lba: undefined, bytesDone: 512 }, 101],
    ['is the next of a read that was aborted', read, { error: ABRT, lba: 100, bytesDone: 1536 }, 103],
    ['is the last one sent of a write', write, { error: ABRT, lba: 100, bytesDone: 1536 }, 102],
    ['is the first of a write that took none', write, { error: ABRT, lba: 0, bytesDone: 0 }, 100],
    ['is never behind the transfer', read, { error: ABRT, lba: 0, bytesDone: 8 * 512 }, 107],
    ['is unknown without data', flushCommand(true), { error: ABRT, lba: 5, bytesDone: 0 }, undefined],
  ])('%s', (_what, command, failure, sector) => {
    expect(failingSector(command, failure, 512)).toBe(sector);
  });
});
