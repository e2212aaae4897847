import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { busTranslation } from './bus-translation.ts';
import { hugePageObstacle, joinPages, openHugePages } from './huge-pages.ts';
import { physicalAddresses } from './physical-address.ts';

const MIB = 2 ** 20;
const POOL = 'sys/kernel/mm/hugepages/hugepages-2048kB';

/** A machine of files. */
function machine(files: Readonly<Record<string, string | Uint8Array>>) {
  const root = mkdtempSync(join(tmpdir(), 'ring3-pages-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return { root, sys: join(root, 'sys'), proc: join(root, 'proc') };
}

const pages = (total: number, free: number) =>
  machine({ [`${POOL}/nr_hugepages`]: `${total}\n`, [`${POOL}/free_hugepages`]: `${free}\n` });

describe('huge pages', () => {
  it('that are missing are told with the number to write', () => {
    const roots = pages(4, 1);
    expect(hugePageObstacle(2 * MIB, roots, 'x64')).toBeUndefined();
    expect(hugePageObstacle(16 * MIB, roots, 'x64')).toMatch(
      /8 of 2 MiB are needed, 1 of 4 are free: as root "echo 11 > .*nr_hugepages", or hugepages=11/,
    );
    expect(() => openHugePages(16 * MIB, roots)).toThrow(/8 of 2 MiB are needed/);
    expect(hugePageObstacle(2 * MIB, machine({}), 'x64')).toMatch(/kernel has none of 2 MiB/);
  });

  it.each([0, -2 * MIB, MIB, 2 * MIB + 0.5, Number.NaN])('refuse %s bytes', (bytes) => {
    expect(hugePageObstacle(bytes, pages(9, 9), 'x64')).toMatch(/no multiple of 2 MiB/);
  });

  it('refuse a size beyond a mapping, and a machine whose caches a process cannot flush', () => {
    expect(hugePageObstacle(4096 * MIB, pages(9999, 9999), 'x64')).toMatch(/4096 MiB are more than can be mapped/);
    expect(hugePageObstacle(2 * MIB, pages(9, 9), 'arm64')).toMatch(/on arm64 .*u-dma-buf or VFIO/);
  });

  it('that lie side by side become one arena', () => {
    const bytes = new Uint8Array(8 * MIB);
    const at = [0x20_0000n, 0x40_0000n, 0x100_0000n, 0x120_0000n];
    const arenas = joinPages(bytes, at);
    expect(arenas.map(({ busAddress, bytes: { byteOffset, length } }) => [busAddress, byteOffset, length])).toEqual([
      [0x20_0000n, 0, 4 * MIB],
      [0x100_0000n, 4 * MIB, 4 * MIB],
    ]);
  });
});

describe('physical addresses', () => {
  /** A pagemap with the frame of one page. */
  const pagemap = (entry: bigint) => {
    const bytes = new BigUint64Array(4);
    bytes[2] = entry;
    return machine({ 'proc/self/pagemap': new Uint8Array(bytes.buffer) }).proc;
  };

  it('come from the frame number', () => {
    expect(physicalAddresses([0x2000n], pagemap((1n << 63n) | (1n << 55n) | 0x12_3456n))).toEqual([0x1_2345_6000n]);
  });

  it.each([
    [1n << 63n, 'permission', /no CAP_SYS_ADMIN/],
    [0n, 'fault', /a page is not there/],
  ] as const)('are refused in words: %x', (entry, code, words) => {
    const act = () => physicalAddresses([0x2000n], pagemap(entry));
    expect(act).toThrow(expect.objectContaining({ code }));
    expect(act).toThrow(words);
  });

  it.skipIf(process.platform !== 'linux')('do not exist for what is not mapped, as this kernel says', () => {
    expect(() => physicalAddresses([0n], '/proc')).toThrow(/a page is not there/);
  });
});

describe('an IOMMU', () => {
  const EDU = '0000:00:04.0';
  const grouped = (files: Readonly<Record<string, string>>) => {
    const roots = machine({ [`sys/bus/pci/devices/${EDU}/vendor`]: '0x1234\n', ...files });
    symlinkSync('../../../../kernel/iommu_groups/7', join(roots.sys, 'bus/pci/devices', EDU, 'iommu_group'));
    return roots;
  };

  it('that is not there, or passes addresses on, stands in nobody’s way', () => {
    expect(busTranslation(EDU, machine({}))).toBeUndefined();
    expect(busTranslation(EDU, grouped({ 'sys/kernel/iommu_groups/7/type': 'identity\n' }))).toBeUndefined();
  });

  it.each(['DMA', 'DMA-FQ', 'blocked'])('that translates (%s) is told with the way that stays', (type) => {
    expect(busTranslation(EDU, grouped({ 'sys/kernel/iommu_groups/7/type': `${type}\n` }))).toMatch(
      new RegExp(`^an IOMMU translates .*group 7, type ${type}\\).*VFIO`),
    );
  });

  it('of an old kernel is expected to translate', () => {
    expect(busTranslation(EDU, grouped({}))).toMatch(/type unknown/);
  });
});
