/**
 * Register accesses per command, beside those of Linux's libata (ata_piix) for the same command. libata's are from QEMU's
 * trace; `pnpm bench command-accesses` repeats them. Data moves as often as it must and is not counted.
 */
import { expect, it } from 'vitest';
import { attachDriver, blocks, type TestDriver } from './test-driver.ts';
import { Witness } from './test-witness.ts';

const FAR = 2 ** 28;
const SIZE_MIB = 2 ** 18;

interface Case {
  readonly what: string;
  readonly byDma: boolean;
  readonly code: number;
  readonly work: (driver: TestDriver) => Promise<unknown>;
  readonly libata: number;
  readonly ring3: number;
}

const read = (block: number, count: number) => (driver: TestDriver) => driver.read(block, count);
const write = (block: number, count: number) => (driver: TestDriver) => driver.write(block, blocks(count));

const CASES: readonly Case[] = [
  { what: 'READ DMA, 16 sectors', byDma: true, code: 0xc8, work: read(0, 16), libata: 26, ring3: 18 },
  { what: 'READ DMA, 256 sectors', byDma: true, code: 0xc8, work: read(0, 256), libata: 26, ring3: 18 },
  { what: 'READ DMA EXT, 16 sectors', byDma: true, code: 0x25, work: read(FAR, 16), libata: 31, ring3: 22 },
  { what: 'WRITE DMA, 16 sectors', byDma: true, code: 0xca, work: write(0, 16), libata: 26, ring3: 18 },
  { what: 'WRITE DMA EXT, 16 sectors', byDma: true, code: 0x35, work: write(FAR, 16), libata: 31, ring3: 22 },
  { what: 'READ MULTIPLE, 16 sectors', byDma: false, code: 0xc4, work: read(0, 16), libata: 19, ring3: 13 },
  { what: 'READ MULTIPLE, 256 sectors', byDma: false, code: 0xc4, work: read(0, 256), libata: 94, ring3: 58 },
  { what: 'READ MULTIPLE EXT, 16 sectors', byDma: false, code: 0x29, work: read(FAR, 16), libata: 24, ring3: 17 },
  { what: 'WRITE MULTIPLE, 16 sectors', byDma: false, code: 0xc5, work: write(0, 16), libata: 19, ring3: 13 },
  { what: 'WRITE MULTIPLE EXT, 16 sectors', byDma: false, code: 0x39, work: write(FAR, 16), libata: 24, ring3: 17 },
  { what: 'FLUSH CACHE EXT', byDma: true, code: 0xea, work: (driver) => driver.flush(), libata: 12, ring3: 11 },
];

it.each(CASES)('$what: $ring3, libata $libata', async ({ byDma, code, work, libata, ring3 }) => {
  // QEMU's disk takes a command at once: waiting for one that does not would be counted, too.
  const driver = await attachDriver({ byDma, model: { disks: [{ sizeMiB: SIZE_MIB, timing: { commandUs: 0.001 } }] } });
  await work(driver); // The first command selects the device.
  const witness = new Witness(driver.sim, driver.hardware);
  await work(driver);
  expect(witness.commands).toEqual([code]);
  const registers = witness.seen.filter(({ space, offset }) => space !== 'command0' || offset !== 0);
  expect(registers).toHaveLength(ring3);
  expect(registers.length).toBeLessThanOrEqual(libata);
});
