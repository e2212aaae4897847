import { describe, expect, it } from 'vitest';
import { BrokenLaw } from './broken-law.ts';
import { WriteOracle, type WriteOracleOptions } from './write-oracle.ts';

const SIZE = 16;

function block(byte: number): Uint8Array {
  return new Uint8Array(SIZE).fill(byte);
}

function setUp(options: Partial<WriteOracleOptions> = {}) {
  const oracle = new WriteOracle({ blockSizeBytes: SIZE, ...options });
  const written = (at: number, byte: number, write?: { fua: boolean }) =>
    oracle.write(at, block(byte), write).acknowledged();
  const flushed = () => oracle.flush().acknowledged();
  const verdict = (at: number, data: Uint8Array | number) => {
    try {
      oracle.check(at, typeof data === 'number' ? block(data) : data);
      return 'lawful';
    } catch (error) {
      if (error instanceof BrokenLaw) return `${error.law}: ${error.message}`;
      throw error;
    }
  };
  return { oracle, written, flushed, verdict };
}

describe('WriteOracle: reads', () => {
  it('expects zeros before the first write', () => {
    const { verdict } = setUp();
    expect(verdict(3, 0)).toBe('lawful');
    expect(verdict(3, 1)).toMatch(/^written: block 3 holds what nobody wrote to it/);
  });

  it('takes the first look at unknown content as a fact', () => {
    const { verdict } = setUp({ initial: () => undefined });
    expect(verdict(3, 7)).toBe('lawful');
    expect(verdict(3, 7)).toBe('lawful');
    expect(verdict(3, 8)).toMatch(/^written: block 3/);
  });

  it('catches a lost acknowledged write', () => {
    const { written, verdict } = setUp();
    written(7, 1);
    written(7, 2);
    expect(verdict(7, 2)).toBe('lawful');
    expect(verdict(7, 1)).toBe('readable: block 7 holds write 1, but write 2 was acknowledged before the read began');
    expect(verdict(7, 0)).toBe(
      'readable: block 7 holds the initial content, but write 2 was acknowledged before the read began',
    );
  });

  it('accepts old and new while a write is in flight and after it failed', () => {
    const { oracle, written, verdict } = setUp();
    written(1, 1);
    const write = oracle.write(1, block(2));
    expect([verdict(1, 1), verdict(1, 2), verdict(1, 1)]).toEqual(['lawful', 'lawful', 'lawful']);
    write.failed();
    expect([verdict(1, 1), verdict(1, 2)]).toEqual(['lawful', 'lawful']);
    written(1, 3);
    expect(verdict(1, 2)).toMatch(/^readable: block 1 holds write 2, but write 3 was acknowledged/);
  });

  it.each([[0], [1]])('accepts either of two writes that overlapped in time, write %i ending first', (firstToEnd) => {
    const { oracle, verdict } = setUp();
    const writes = [oracle.write(1, block(1)), oracle.write(1, block(2))];
    writes[firstToEnd]?.acknowledged();
    writes[1 - firstToEnd]?.acknowledged();
    expect([verdict(1, 1), verdict(1, 2)]).toEqual(['lawful', 'lawful']);
    expect(verdict(1, 0)).toMatch(/^readable/);
  });

  it('judges a read by what was acknowledged before it began, not before it ended', () => {
    const { oracle, written, flushed } = setUp();
    written(1, 1);
    const read = oracle.read(1);
    written(1, 2);
    flushed();
    written(1, 3);
    flushed();
    read.returned(block(1));
    const late = oracle.read(1);
    expect(() => late.returned(block(1))).toThrow('holds write 1, but write 3 was acknowledged before the read began');
  });

  it('judges every block of a larger request by itself', () => {
    const { oracle, written } = setUp();
    oracle.write(4, new Uint8Array(3 * SIZE).fill(1)).acknowledged();
    written(5, 2);
    const data = new Uint8Array(3 * SIZE).fill(1);
    expect(() => oracle.check(4, data)).toThrow('block 5 holds write 1, but write 2 was acknowledged');
    data.fill(2, SIZE, 2 * SIZE);
    oracle.check(4, data);
  });

  it('keeps a copy of what was written', () => {
    const { oracle, verdict } = setUp();
    const data = block(1);
    const write = oracle.write(1, data);
    data.fill(2);
    write.acknowledged();
    expect(verdict(1, 1)).toBe('lawful');
    expect(verdict(1, 2)).toMatch(/^written/);
  });

  it('catches a torn block', () => {
    const { oracle, written, verdict } = setUp();
    written(1, 1);
    oracle.write(1, block(2));
    const half = block(1).fill(2, 4);
    expect(verdict(1, half)).toBe(
      'whole: block 1 is torn: bytes 0-3 of write 1, bytes 4-15 of write 2; a block is old or new',
    );
  });

  it('says whose data it is when a block holds that of another', () => {
    const { written, verdict } = setUp();
    written(1, 1);
    written(2, 2);
    expect(verdict(1, 2)).toBe('written: block 1 holds what write 2 wrote to block 2');
  });
});

describe('WriteOracle: trims', () => {
  it('lets trimmed blocks read as anything, each time anew, and no others', () => {
    const { oracle, written, verdict } = setUp();
    for (const at of [0, 1, 2]) written(at, 1);
    oracle.trim(1, 1).acknowledged();
    expect([verdict(1, 1), verdict(1, 77), verdict(1, 0), verdict(1, 1)]).toEqual(Array(4).fill('lawful'));
    expect(verdict(0, 77)).toMatch(/^written: block 0/);
    expect(verdict(2, 77)).toMatch(/^written: block 2/);
  });

  it('expects what is written after a trim has ended', () => {
    const { oracle, written, verdict } = setUp();
    written(1, 1);
    oracle.trim(1, 1).failed();
    written(1, 2);
    expect(verdict(1, 2)).toBe('lawful');
    expect(verdict(1, 0)).toMatch(/^readable: block 1 holds the initial content, but write 2/);
    expect(verdict(1, 77)).toMatch(/^written: block 1/);
  });

  it('expects nothing of a write that a trim overlaps in time', () => {
    const { oracle, written, verdict } = setUp();
    const trim = oracle.trim(1, 1);
    written(1, 1);
    trim.acknowledged();
    expect(verdict(1, 77)).toBe('lawful');
  });

  it('lets the power bring back a trim that was not flushed, but not one before a flush', () => {
    const { oracle, written, flushed, verdict } = setUp();
    oracle.trim(1, 2).acknowledged();
    written(1, 1);
    flushed();
    written(2, 1);
    oracle.powerLost();
    expect(verdict(1, 77)).toMatch(/^written: block 1/);
    expect([verdict(2, 77), verdict(2, 78)]).toEqual(['lawful', 'lawful']);
  });

  it('remembers of many trims only the last', () => {
    const { oracle, written, verdict } = setUp();
    for (let i = 0; i < 100; i++) oracle.trim(1, 1).acknowledged();
    written(1, 1);
    expect(verdict(1, 77)).toBe(
      'written: block 1 holds what nobody wrote to it (4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d...): it can only be write 1',
    );
  });
});

describe('WriteOracle: loss of power', () => {
  it('lets acknowledged writes get lost, all or some', () => {
    const { oracle, written, verdict } = setUp();
    written(1, 1);
    written(2, 1);
    oracle.powerLost();
    expect([verdict(1, 0), verdict(2, 1)]).toEqual(['lawful', 'lawful']);
  });

  it('catches a flush that does nothing', () => {
    const { oracle, written, flushed, verdict } = setUp();
    written(1, 1);
    flushed();
    written(1, 2);
    oracle.powerLost();
    expect(verdict(1, 0)).toBe(
      'durable: block 1 holds the initial content, but write 1 was acknowledged and on stable storage (flush 1) before the power was lost',
    );
    expect(verdict(1, 2)).toBe('lawful');
  });

  it('catches FUA that does nothing', () => {
    const { oracle, written, verdict } = setUp();
    written(1, 1, { fua: true });
    oracle.powerLost();
    expect(verdict(1, 0)).toMatch(/^durable: .*write 1 was acknowledged and on stable storage \(FUA\)/);
  });

  it('does not count a write that was in flight when the flush was issued', () => {
    const { oracle, flushed, verdict } = setUp();
    const write = oracle.write(1, block(1));
    const flush = oracle.flush();
    write.acknowledged();
    flush.acknowledged();
    oracle.powerLost();
    expect(verdict(1, 0)).toBe('lawful');
    flushed();
  });

  it('does not count a flush that failed', () => {
    const { oracle, written, verdict } = setUp();
    written(1, 1);
    oracle.flush().failed();
    oracle.powerLost();
    expect(verdict(1, 0)).toBe('lawful');
  });

  it('allows every content since the last flush', () => {
    for (const byte of [1, 2, 3]) {
      const { oracle, written, flushed, verdict } = setUp();
      written(1, 1);
      flushed();
      written(1, 2);
      written(1, 3);
      oracle.powerLost();
      expect(verdict(1, byte)).toBe('lawful');
    }
  });

  it('holds a block to what it was once seen to be afterwards', () => {
    const { oracle, written, verdict } = setUp();
    written(1, 1);
    oracle.powerLost();
    expect(verdict(1, 0)).toBe('lawful');
    expect(verdict(1, 1)).toMatch(
      /^readable: block 1 holds write 1 again, but it was seen to hold the initial content, and nothing was written/,
    );
    oracle.powerLost();
    expect(verdict(1, 0)).toBe('lawful');
  });

  it('learns nothing from a read that began before', () => {
    const { oracle, written, verdict } = setUp();
    written(1, 1);
    const read = oracle.read(1);
    oracle.powerLost();
    read.returned(block(1));
    expect(verdict(1, 0)).toBe('lawful');
  });

  it('expects a replayed write that is acknowledged afterwards', () => {
    const { oracle, verdict } = setUp();
    const write = oracle.write(1, block(1));
    oracle.powerLost();
    write.acknowledged();
    expect(verdict(1, 0)).toMatch(/^readable: block 1 holds the initial content, but write 1 was acknowledged/);
    expect(verdict(1, 1)).toBe('lawful');
  });

  it('takes a late acknowledgement for an early one where it cannot know, except with FUA', () => {
    const { oracle, verdict, flushed } = setUp();
    const plain = oracle.write(1, block(1));
    const forced = oracle.write(2, block(1), { fua: true });
    oracle.powerLost({ lateAcknowledgements: 'doubtful' });
    plain.acknowledged();
    forced.acknowledged();
    flushed();
    expect(verdict(1, 0)).toBe('lawful');
    expect(verdict(2, 0)).toMatch(/^readable/);
  });

  it('catches a flush that is acknowledged after the loss for writes that were lost with it', () => {
    const { oracle, written, verdict } = setUp();
    written(1, 1);
    const flush = oracle.flush();
    oracle.powerLost();
    expect(verdict(1, 0)).toBe('lawful');
    flush.acknowledged();
    expect(verdict(1, 0)).toMatch(/^durable: block 1 holds the initial content, but write 1 was acknowledged and on/);
  });

  it('remembers only what can still be the case', () => {
    const { oracle, written, flushed, verdict } = setUp();
    for (let i = 0; i < 300; i++) {
      written(1, i & 0xff);
      flushed();
    }
    oracle.powerLost();
    expect(verdict(1, 298 & 0xff)).toMatch(/^durable/);
    expect(verdict(1, 299 & 0xff)).toBe('lawful');
  });
});

it('WriteOracle refuses reports that cannot be', () => {
  const { oracle } = setUp();
  const write = oracle.write(1, block(1));
  write.acknowledged();
  expect(() => write.failed()).toThrow('write 1 has ended already');
  expect(() => oracle.check(0, new Uint8Array(SIZE + 1))).toThrow('17 bytes are not whole blocks of 16');
});
