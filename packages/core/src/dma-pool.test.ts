import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DmaPool } from './dma-pool.ts';

const BASE = 0x1_0000_1000n;

function pool(sizeBytes = 0x10000, busAddress = BASE) {
  return new DmaPool('test memory', [{ busAddress, bytes: new Uint8Array(sizeBytes).fill(0xee) }]);
}

describe('DmaPool', () => {
  it('gives zeroed memory that obeys its constraints and overlaps nothing', () => {
    const sizes = fc.integer({ min: 1, max: 4096 });
    const powers = fc.integer({ min: 0, max: 14 }).map((exponent) => 2 ** exponent);
    const wishes = fc.array(fc.record({ size: sizes, alignment: powers, boundary: powers, release: fc.boolean() }));
    fc.assert(
      fc.property(wishes, (list) => {
        const from = pool(0x40000);
        const held: { start: bigint; end: bigint }[] = [];
        for (const { size, alignment, boundary, release } of list) {
          const room = Math.max(boundary, 2 ** Math.ceil(Math.log2(size)));
          const buffer = from.allocate(size, { alignment, boundary: room });
          const { busAddress: start, bytes } = buffer;
          const end = start + BigInt(size);
          expect(bytes.length).toBe(size);
          expect(bytes.every((byte) => byte === 0)).toBe(true);
          expect(start % BigInt(Math.max(alignment, 4))).toBe(0n);
          expect(start / BigInt(room)).toBe((end - 1n) / BigInt(room));
          expect(held.some((other) => start < other.end && other.start < end)).toBe(false);
          bytes.fill(0xcc);
          if (release) buffer.release();
          else held.push({ start, end });
        }
        expect(from.usedBytes).toBe(held.reduce((sum, { start, end }) => sum + Number(end - start), 0));
      }),
      { numRuns: 50 },
    );
  });

  it('uses memory again that was released, all of it', () => {
    const from = pool();
    const whole = from.allocate(0x10000);
    expect(() => from.allocate(4)).toThrow(/no free piece of 4 bytes .*65536 of 65536 bytes are in use/);
    whole.release();
    whole.release();
    expect(from.allocate(0x10000).busAddress).toBe(BASE);
  });

  it('refuses memory that the device cannot address, and looks into the next arena', () => {
    const high = { busAddress: BASE, bytes: new Uint8Array(4096) };
    const low = { busAddress: 0x8000n, bytes: new Uint8Array(4096) };
    expect(new DmaPool('two pieces', [high, low]).allocate(512, { addressBits: 32 }).busAddress).toBe(0x8000n);
    expect(() => pool().allocate(512, { addressBits: 32 })).toThrow(/test memory: no free piece .*32 address bits/);
  });

  it.each([
    [() => pool().allocate(0), /0 bytes: give a whole number/],
    [() => pool().allocate(1.5), /1\.5 bytes/],
    [() => pool().allocate(8, { alignment: 3 }), /alignment 3 is not a power of two/],
    [() => pool().allocate(8, { boundary: 12 }), /boundary 12 is not a power of two/],
    [() => pool().allocate(0x2000, { boundary: 0x1000 }), /8192 bytes always cross a multiple of 4096/],
    [() => pool().allocate(8, { addressBits: 65 }), /addressBits 65/],
    [() => pool().allocate(16).syncForCpu(8, 16), /16 bytes at 8 are not inside the buffer/],
    [() => pool().allocate(16).syncForDevice(-1), /not inside the buffer/],
  ])('refuses nonsense in words (%#)', (act, words) => {
    expect(act).toThrow(RangeError);
    expect(act).toThrow(words);
  });

  it('syncs the part of the arena where the buffer is', () => {
    const calls: string[] = [];
    const note = (what: string) => (offset: number, length: number) => void calls.push(`${what} ${offset}+${length}`);
    const bytes = new Uint8Array(4096);
    const arena = { busAddress: 0n, bytes, syncForDevice: note('device'), syncForCpu: note('cpu') };
    const from = new DmaPool('test memory', [arena]);
    from.allocate(512);
    const second = from.allocate(512);
    second.syncForDevice();
    second.syncForCpu(16, 4);
    second.release();
    expect(() => second.syncForCpu()).toThrow(/was released/);
    expect(calls).toEqual(['device 512+512', 'cpu 528+4']);
  });

  it('gives back what one device has borrowed, when that is closed', () => {
    const from = pool();
    const [one, other] = [from.lend(), from.lend()];
    one.allocate(4096);
    const kept = other.allocate(4096);
    one.close();
    expect(from.usedBytes).toBe(4096);
    expect(() => one.allocate(4)).toThrow(/the device was closed/);
    kept.release();
    expect(from.usedBytes).toBe(0);
  });

  it('forgets the buffers that a device has released itself', () => {
    const loan = pool().lend();
    for (let request = 0; request < 3; request++) loan.allocate(16).release();
    expect(loan.buffers).toBe(0);
    loan.allocate(16);
    expect(loan.buffers).toBe(1);
    loan.close();
    expect(loan.buffers).toBe(0);
  });

  it('shows no memory where a buffer is printed', () => {
    expect(String(pool().allocate(16))).toBe('DmaBuffer at bus address 0x100001000, 16 bytes');
  });
});
