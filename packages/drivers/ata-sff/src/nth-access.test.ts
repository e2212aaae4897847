import process from 'node:process';
import { describe, expect, it } from 'vitest';
import type { DriverSetUp } from './test-driver.ts';
import { accessesOf, EFFECTS, runWith, SECTORS } from './test-nth-access.ts';
import type { SeenAccess } from './test-witness.ts';

/** In CI; a read that is lost gives all ones. */
const CHOSEN = ['lost', 'one bit wrong'];
/** A campaign does not leave anything out. */
const EVERYTHING = process.env['RING3_DATA_STEP'] !== undefined;
const STRIKES = Object.entries(EFFECTS).filter(([name]) => EVERYTHING || CHOSEN.includes(name));
/** Of the words of data, all alike, only each so many-th is hit; a campaign hits all of them. */
const DATA_STEP = Number(process.env['RING3_DATA_STEP'] ?? 499);

const disk = { sectors: SECTORS };
const polling = { options: { interrupts: 'polling' as const } };
const WAYS: readonly (readonly [string, DriverSetUp])[] = [
  ['PIO by interrupt', { model: { disks: [{ ...disk, multiple: 0 }] } }],
  ['PIO by polling', { model: { disks: [{ ...disk, multiple: 0 }] }, ...polling }],
  ['PIO MULTIPLE by interrupt', { model: { disks: [disk] } }],
  ['PIO MULTIPLE by polling', { model: { disks: [disk] }, ...polling }],
  ['DMA by interrupt', { byDma: true, model: { disks: [disk] } }],
  ['DMA by polling', { byDma: true, model: { disks: [disk] }, ...polling }],
];

describe.each(WAYS)('%s', { timeout: 600_000 }, (_name, setUp) => {
  it.each(['read', 'write'] as const)(
    'a %s of 8 sectors with one bad access is right or fails by name, and the next goes well',
    async (request) => {
      const { before, list } = await accessesOf(request, setUp);
      expect(list.some(({ space }) => space === 'busMaster')).toBe(setUp.byDma === true);
      const wrong: string[] = [];
      for (const [index, access] of list.entries()) {
        if (isData(access) && index % DATA_STEP !== 0) continue;
        for (const [name, effect] of STRIKES) {
          if (cannotBeNoticed(access, name)) continue;
          await runWith(request, setUp, { registers: [{ nth: before + index + 1, ...effect }] }).catch(
            (error: unknown) => {
              wrong.push(`${index} of ${list.length}, ${words(access)}, ${name}: ${error}`);
            },
          );
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  it.each(['read', 'write'] as const)(
    'a disk that is pulled out during a %s, before any access, is gone',
    async (request) => {
      const { before, list } = await accessesOf(request, setUp);
      const ends = new Set<string>();
      for (const [index, access] of list.entries()) {
        if (isData(access) && index % DATA_STEP !== 0) continue;
        const { ended } = await runWith(request, setUp, { removal: { atAccess: before + index + 1 } });
        ends.add(ended);
      }
      ends.delete('well');
      expect([...ends]).toEqual(['gone']);
    },
  );
});

function isData({ space, offset }: SeenAccess): boolean {
  return space === 'command0' && offset === 0;
}

/** Programmed I/O has no checksum, and a command code is believed: README, "What programmed I/O cannot notice". */
function cannotBeNoticed(access: SeenAccess, effect: string): boolean {
  const isCommand = access.space === 'command0' && access.offset === 7 && access.what === 'write';
  return effect !== 'lost' && (isData(access) || isCommand);
}

function words({ what, space, offset, value }: SeenAccess): string {
  return `${what} ${space}+${offset} ${value.toString(16)}`;
}
