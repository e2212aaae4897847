import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { MemoryRegion } from './memory-region.ts';
import {
  bindRegisters,
  bit,
  bits,
  describeValue,
  readActs,
  readOnly,
  readWrite,
  write1ToClear,
  writeOnly,
} from './register-layout.ts';
import { RecordingAccess } from './testing/recording-access.ts';

const LAYOUT = {
  status: readOnly(0x0, 8, { ERR: bit(0), DRQ: bit(3), BSY: bit(7) }),
  command: writeOnly(0x0, 8),
  control: readWrite(0x4, 16, { SPEED: bits(6, 4), ENABLE: bit(0), TOP: bit(15) }),
  events: readWrite(0x8, 32, { DONE: write1ToClear(bit(0)), LOST: write1ToClear(bit(31)) }),
  mixed: readWrite(0xc, 8, { CAPABLE: bits(6, 5), ERROR: write1ToClear(bit(1)), IRQ: write1ToClear(bit(2)) }),
  whole: readWrite(0x10, 32),
} as const;

function setUp(stride?: number) {
  const access = new RecordingAccess(0x80);
  const description = { name: 'ata0', sizeBytes: 0x80, memoryType: 'simulated' } as const;
  const regs = bindRegisters(new MemoryRegion(description, access), LAYOUT, stride);
  return { access, regs, log: () => access.log() };
}

describe('a bound register', () => {
  it('reads and writes in its width, one access each', () => {
    const { regs, log } = setUp();
    regs.command.write(0xec);
    regs.control.write(0x1234);
    regs.whole.write(0xffff_ffff);
    expect([regs.status.read(), regs.control.read(), regs.whole.read()]).toEqual([0xec, 0x1234, 0xffff_ffff]);
    expect(log()).toEqual([
      'write8 0x0 = 0xec',
      'write16 0x4 = 0x1234',
      'write32 0x10 = 0xffffffff',
      'read8 0x0',
      'read16 0x4',
      'read32 0x10',
    ]);
  });

  it('gives its accesses as steps of a sequence', () => {
    const { regs } = setUp();
    expect(regs.status.readOp).toEqual({ kind: 'read', width: 8, offset: 0 });
    expect(regs.control.writeOp(5)).toEqual({ kind: 'write', width: 16, offset: 4, value: 5 });
  });

  it('is farther from its neighbours behind shifted address lines', () => {
    const { regs, log } = setUp(4);
    regs.events.write(1);
    expect(log()).toEqual(['write32 0x20 = 0x1']);
    expect(regs.control.writeOp(5)).toMatchObject({ offset: 0x10 });
  });

  it('refuses values that do not fit, before the bus is touched', () => {
    const { regs, log } = setUp();
    expect(() => regs.command.write(0x100)).toThrow('ata0: 256 does not fit 8 bits at 0x0');
    expect(() => regs.control.modify({ ENABLE: 1, SPEED: 8 })).toThrow(
      'ata0 control: 8 does not fit field SPEED, at most 0x7',
    );
    expect(() => regs.control.modify({ SPEED: -1 })).toThrow(RangeError);
    expect(log()).toEqual([]);
  });
});

describe('modify', () => {
  it('replaces the named fields: one read, one write', () => {
    const { access, regs, log } = setUp();
    access.memory.setUint16(4, 0x8f7f, true);
    regs.control.modify({ SPEED: 2, ENABLE: 0 });
    expect(log()).toEqual(['read16 0x4', 'write16 0x4 = 0x8f2e']);
  });

  it('leaves all other bits as they are, for any fields and values', () => {
    const field = fc
      .tuple(fc.nat(31), fc.nat(31))
      .map(([a, b]) => bits(Math.max(a, b), Math.min(a, b)))
      .chain((made) => fc.record({ made: fc.constant(made), value: fc.bigInt(0n, BigInt(made.mask >>> made.shift)) }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), field, (before, { made, value }) => {
        const access = new RecordingAccess(4);
        access.memory.setUint32(0, before, true);
        const description = { name: 'dev', sizeBytes: 4, memoryType: 'simulated' } as const;
        const layout = { reg: readWrite(0, 32, { F: made }) };
        bindRegisters(new MemoryRegion(description, access), layout).reg.modify({ F: Number(value) });
        const mask = BigInt(made.mask);
        const expected = (BigInt(before) & ~mask) | (value << BigInt(made.shift));
        expect(BigInt(access.memory.getUint32(0, true))).toBe(expected);
      }),
    );
  });
});

describe('clear', () => {
  it('writes ones to the named fields and zeros elsewhere, without a read', () => {
    const { access, regs, log } = setUp();
    access.memory.setUint32(8, 0xffff_ffff, true);
    regs.events.clear('LOST');
    regs.events.clear('DONE', 'LOST');
    expect(log()).toEqual(['write32 0x8 = 0x80000000', 'write32 0x8 = 0x80000001']);
  });

  it('keeps the plain fields of the same register', () => {
    const { access, regs, log } = setUp();
    access.memory.setUint8(0xc, 0x67);
    regs.mixed.clear('IRQ');
    expect(log()).toEqual(['read8 0xc', 'write8 0xc = 0x64']);
  });
});

describe('a layout', () => {
  it('numbers bits as datasheets do', () => {
    expect(bit(31)).toEqual({ kind: 'plain', shift: 31, mask: 0x8000_0000 });
    expect(bits(31, 0)).toEqual({ kind: 'plain', shift: 0, mask: 0xffff_ffff });
    expect(bits(6, 4)).toEqual({ kind: 'plain', shift: 4, mask: 0x70 });
    expect(LAYOUT.control.mask).toEqual({ SPEED: 0x70, ENABLE: 1, TOP: 0x8000 });
  });

  it.each([
    [() => bits(4, 6), 'give the higher bit first'],
    [() => bit(32), 'both from 0 to 31'],
    [() => bits(3, -1), 'both from 0 to 31'],
    [() => bit(0.5), 'both from 0 to 31'],
    [() => readWrite(0, 8, { WIDE: bits(8, 0) }), 'field WIDE does not fit a register of 8 bits'],
  ])('refuses %s', (make, message) => {
    expect(make).toThrow(message);
  });

  it('says a value in words', () => {
    expect(describeValue(LAYOUT.status, 0x89)).toBe('0x89 (ERR DRQ BSY)');
    expect(describeValue(LAYOUT.control, 0x8051)).toBe('0x8051 (SPEED=0x5 ENABLE TOP)');
    expect(describeValue(LAYOUT.status, 0x40)).toBe('0x40');
    expect(describeValue(LAYOUT.whole, 0)).toBe('0x00000000');
  });
});

it('does not compile what its access kind forbids', () => {
  const neverCalled = ({ regs }: ReturnType<typeof setUp>): void => {
    // @ts-expect-error reading a write-only register
    regs.command.read();
    // @ts-expect-error reading a write-only register in a sequence
    void regs.command.readOp;
    // @ts-expect-error writing a read-only register
    regs.status.write(0);
    // @ts-expect-error writing a read-only register in a sequence
    regs.status.writeOp(0);
    // @ts-expect-error modifying a read-only register
    regs.status.modify({ ERR: 0 });
    // @ts-expect-error modifying a write-only register
    regs.command.modify({});
    // @ts-expect-error modifying a register with a write-1-to-clear field would clear by accident
    regs.events.modify({ DONE: 0 });
    // @ts-expect-error the same in a register that has plain fields too
    regs.mixed.modify({ CAPABLE: 1 });
    // @ts-expect-error clearing a plain field
    regs.mixed.clear('CAPABLE');
    // @ts-expect-error clearing a register without write-1-to-clear fields
    regs.control.clear('ENABLE');
    // @ts-expect-error a field that the register does not have
    regs.control.modify({ BOGUS: 1 });
    // @ts-expect-error a register without fields is written whole
    regs.whole.modify({ BOGUS: 1 });
    // @ts-expect-error a mask that the register does not have
    void LAYOUT.status.mask.BOGUS;
    // @ts-expect-error a register that the layout does not have
    void regs.bogus;
    // @ts-expect-error a width that no bus has
    readOnly(0, 24);
    // @ts-expect-error write1ToClear of a field that is one already
    write1ToClear(write1ToClear(bit(0)));
  };
  expect(neverCalled).toBeTypeOf('function');
});

it('offers exactly what its access kind allows', () => {
  const { regs } = setUp();
  expectTypeOf<keyof typeof regs>().toEqualTypeOf<keyof typeof LAYOUT>();
  expectTypeOf<keyof typeof regs.status>().toEqualTypeOf<'definition' | 'read' | 'readOp'>();
  expectTypeOf<keyof typeof regs.command>().toEqualTypeOf<'definition' | 'write' | 'writeOp'>();
  expectTypeOf<keyof typeof regs.mixed>().toEqualTypeOf<
    'definition' | 'read' | 'readOp' | 'write' | 'writeOp' | 'clear'
  >();
  expectTypeOf<Parameters<typeof regs.mixed.clear>>().toEqualTypeOf<('ERROR' | 'IRQ')[]>();
});

it('a register whose read acts is used like any other, and says so', () => {
  const layout = { taken: readActs(LAYOUT.status, 'takes the interrupt back') } as const;
  const space = new MemoryRegion({ name: 'ata0', sizeBytes: 4, memoryType: 'simulated' }, new RecordingAccess(4));
  const { taken } = bindRegisters(space, layout);
  expectTypeOf<keyof typeof taken>().toEqualTypeOf<'definition' | 'read' | 'readOp'>();
  expect(taken.definition).toEqual({ ...LAYOUT.status, readAction: 'takes the interrupt back' });
});
