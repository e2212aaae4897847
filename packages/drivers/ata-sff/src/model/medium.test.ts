import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { defectsSchema } from './defects.ts';
import { FileStore } from './file-store.ts';
import { Medium, type MediumOptions } from './medium.ts';
import { MemoryStore, type SectorStore } from './sector-store.ts';
import { createBench } from './test-bench.ts';
import { pattern } from './test-host.ts';

const SECTORS = 64;

/** A sector that is the same number at both ends. */
const sector = (seed: number) => {
  const bytes = new Uint8Array(512);
  new DataView(bytes.buffer).setUint32(0, seed, true);
  new DataView(bytes.buffer).setUint32(508, seed, true);
  return bytes;
};

interface Step {
  readonly kind: 'write' | 'through' | 'read' | 'flush' | 'cut';
  readonly lba: number;
  readonly count: number;
}

const step: fc.Arbitrary<Step> = fc
  .record({
    kind: fc.constantFrom('write', 'write', 'write', 'write', 'read', 'read', 'through', 'flush', 'cut'),
    lba: fc.nat(SECTORS - 1),
    count: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ count, ...rest }) => ({ ...rest, count: Math.min(count, SECTORS - rest.lba) }));

/** The promises of a disk, beside a medium that has to keep them. */
class Promises {
  readonly #medium: Medium;
  /** Per sector: what it reads, and everything that it may be after a power cut. */
  readonly #newest: number[] = Array(SECTORS).fill(0);
  readonly #possible: Set<number>[] = Array.from({ length: SECTORS }, () => new Set([0]));
  #seed = 0;

  constructor(medium: Medium) {
    this.#medium = medium;
  }

  async do({ kind, lba, count }: Step): Promise<void> {
    if (kind === 'write' || kind === 'through') this.#write(lba, count);
    if (kind === 'read') for (let at = lba; at < lba + count; at++) expect(this.#read(at)).toBe(this.#newest[at]);
    if (kind === 'flush') {
      expect(await this.#medium.flush()).toEqual({ outcome: 'durable' });
      this.#settle(0, SECTORS);
    }
    if (kind === 'through') {
      expect(await this.#medium.writeThrough(lba, count)).toEqual({ outcome: 'durable' });
      this.#settle(lba, count);
    }
    if (kind === 'cut') this.#cutPower();
  }

  #write(lba: number, count: number): void {
    this.#seed++;
    const data = new Uint8Array(count * 512);
    for (let at = 0; at < count; at++) {
      data.set(sector(this.#seed), at * 512);
      this.#newest[lba + at] = this.#seed;
      this.#possible[lba + at]?.add(this.#seed);
    }
    this.#medium.write(lba, data);
  }

  #read(lba: number): number {
    const bytes = new Uint8Array(512);
    this.#medium.read(lba, bytes);
    const view = new DataView(bytes.buffer);
    expect(view.getUint32(508, true)).toBe(view.getUint32(0, true)); // Not torn.
    return view.getUint32(0, true);
  }

  #cutPower(): void {
    this.#medium.cutPower();
    this.#medium.powerOn();
    for (let lba = 0; lba < SECTORS; lba++) {
      const found = this.#read(lba);
      expect(this.#possible[lba]).toContain(found);
      this.#newest[lba] = found;
    }
    this.#settle(0, SECTORS);
  }

  #settle(lba: number, count: number): void {
    for (let at = lba; at < lba + count; at++) this.#possible[at] = new Set([this.#newest[at] ?? 0]);
  }
}

/** A store of 1000 sectors whose commit is another one. */
const storeThatCommits = (commit: () => Promise<void>) => Object.assign(new MemoryStore(1000), { commit });

const mediumOptions = fc.record({
  cacheSectors: fc.constantFrom(1, 8, 1000),
  survivors: fc.constantFrom(0, 0.5, 1),
  seed: fc.integer(),
});

const folder = mkdtempSync(join(tmpdir(), 'ata-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const openFile = () =>
  FileStore.open(join(folder, `${files++}.img`), { create: true, readOnly: false, sectors: SECTORS });

const stores: [string, number, () => Promise<SectorStore>][] = [
  ['memory', 300, async () => new MemoryStore(SECTORS)],
  ['a file', 50, openFile],
];

describe('a medium behind a write cache', () => {
  it.each(stores)(
    'in %s keeps its promises over power cuts',
    async (_name, numRuns, open) => {
      const run = async (steps: readonly Step[], options: MediumOptions) => {
        const medium = new Medium(await open(), options, defectsSchema.parse({}));
        const promises = new Promises(medium);
        for (const action of steps) await promises.do(action);
        expect(medium.dirtySectors).toBeLessThanOrEqual(options.cacheSectors);
        await medium.close();
      };
      await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), mediumOptions, run), { numRuns });
    },
    30_000,
  );

  it('lets a part of the cache survive that depends on the seed', () => {
    const survivors = (seed: number) => {
      const medium = new Medium(
        new MemoryStore(1000),
        { cacheSectors: 1000, survivors: 0.5, seed },
        defectsSchema.parse({}),
      );
      medium.write(0, new Uint8Array(1000 * 512).fill(1));
      medium.cutPower();
      const bytes = new Uint8Array(1000 * 512);
      medium.read(0, bytes);
      return Array.from({ length: 1000 }, (_, lba) => bytes[lba * 512] ?? 0);
    };
    const some = survivors(1);
    const count = some.reduce((sum, one) => sum + one, 0);
    expect(count).toBeGreaterThan(400);
    expect(count).toBeLessThan(600);
    expect(survivors(1)).toEqual(some);
    expect(survivors(2)).not.toEqual(some);
  });
});

describe('a full cache', () => {
  it('keeps sectors that cannot be written for the flush to find', async () => {
    const options = { cacheSectors: 8, survivors: 0, seed: 1 };
    const medium = new Medium(new MemoryStore(SECTORS), options, defectsSchema.parse({ unwritable: [1] }));
    medium.write(0, new Uint8Array(12 * 512).fill(1));
    medium.write(20, new Uint8Array(12 * 512).fill(1));
    expect(await medium.flush()).toEqual({ outcome: 'bad-sector', lba: 1 });
    expect(await medium.flush()).toEqual({ outcome: 'durable' });
  });
});

describe('a disk whose power is cut', () => {
  const cutAndReadBack = async (options: { flush: 'good' | 'lie' }) => {
    const { bench, controller, host } = await createBench({
      disks: [{ sectors: 1000, defects: { flush: options.flush } }],
    });
    await host.write({ command: 0x30, lba: 0, count: 4 }, pattern(4, 1));
    expect(await host.run({ command: 0xe7 })).toBe(0x50);
    await host.write({ command: 0x30, lba: 4, count: 4 }, pattern(4, 2));
    controller.cutPower();
    controller.powerOn();
    await bench.settle();
    return await host.read({ command: 0x20, lba: 0, count: 8 }, 4096);
  };

  it('has what was flushed and has lost what was not', async () => {
    const bytes = await cutAndReadBack({ flush: 'good' });
    expect(bytes.subarray(0, 2048)).toEqual(pattern(4, 1));
    expect(bytes.subarray(2048)).toEqual(new Uint8Array(2048));
  });

  it('has lost it all when FLUSH CACHE does nothing', async () => {
    expect(await cutAndReadBack({ flush: 'lie' })).toEqual(new Uint8Array(4096));
  });

  it('keeps what was written with FUA, and only that', async () => {
    const { bench, controller, host } = await createBench({ sectors: 1000 });
    await host.run({ command: 0xc6, count: 4 });
    await host.write({ command: 0x39, lba: 0, count: 8, wide: true }, pattern(8, 1), 2048);
    expect(await host.write({ command: 0xce, lba: 2, count: 4, wide: true }, pattern(4, 2), 2048)).toBe(0x50);
    controller.cutPower();
    controller.powerOn();
    await bench.settle();
    const bytes = await host.read({ command: 0x20, lba: 0, count: 8 }, 4096);
    expect(bytes.subarray(0, 1024)).toEqual(new Uint8Array(1024));
    expect(bytes.subarray(1024, 3072)).toEqual(pattern(4, 2));
    expect(bytes.subarray(3072)).toEqual(new Uint8Array(1024));
  });

  it('keeps everything when the cache was switched off, and everything from before', async () => {
    const { bench, controller, host } = await createBench({ sectors: 1000 });
    await host.write({ command: 0x30, lba: 0, count: 1 }, pattern(1, 1));
    expect(await host.run({ command: 0xef, features: 0x82 })).toBe(0x50);
    await host.write({ command: 0x30, lba: 1, count: 1 }, pattern(1, 2));
    controller.cutPower();
    controller.powerOn();
    await bench.settle();
    expect(await host.read({ command: 0x20, lba: 0, count: 1 }, 512)).toEqual(pattern(1, 1));
    expect(await host.read({ command: 0x20, lba: 1, count: 1 }, 512)).toEqual(pattern(1, 2));
  });

  it('keeps BSY until the flush has reached the store', async () => {
    let finish: () => void = () => {};
    const slow = storeThatCommits(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    const { bench, host } = await createBench({ sectors: 1000 }, [slow]);
    host.issue({ command: 0xea });
    bench.advance(1_000_000);
    expect(host.alternateStatus & 0x80).toBe(0x80);
    finish();
    await bench.settle();
    expect(host.status).toBe(0x50);
  });

  it('does not end a flush that a reset has made void', async () => {
    let finish: () => void = () => {};
    const slow = storeThatCommits(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    const { bench, host } = await createBench({ sectors: 1000 }, [slow]);
    host.issue({ command: 0xe7 });
    bench.advance(1000);
    host.control(0x04);
    finish();
    await bench.settle();
    expect(host.alternateStatus & 0x80).toBe(0x80);
    host.control(0x00);
    await bench.settle();
    expect([host.status, host.interrupts]).toEqual([0x50, 0]);
  });

  it('reports a flush that fails as it is told', async () => {
    const failing = async (flush: 'fail' | 'device-fault') => {
      const { host } = await createBench({ disks: [{ sectors: 1000, defects: { flush } }] });
      return host.run({ command: 0xe7 });
    };
    expect(await failing('fail')).toBe(0x51);
    expect(await failing('device-fault')).toBe(0x70);
  });

  it('says so when the last flush fails', async () => {
    const broken = storeThatCommits(() => Promise.reject(new Error('no space left')));
    const { controller, host } = await createBench({ sectors: 1000 }, [broken]);
    await host.write({ command: 0x30, lba: 0, count: 3 }, pattern(3, 1));
    await expect(controller.close()).rejects.toMatchObject({
      code: 'fault',
      message: expect.stringMatching(/^3 sectors .* no space left$/),
    });
  });

  it('reports a store that fails as a device fault', async () => {
    const broken = storeThatCommits(() => Promise.reject(new Error('no space left')));
    const { host } = await createBench({ sectors: 1000 }, [broken]);
    expect(await host.run({ command: 0xe7 })).toBe(0x70);
  });
});
