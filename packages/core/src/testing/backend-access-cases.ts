import { inspect } from 'node:util';
import { expect } from 'vitest';
import { isDeviceError } from '../device-error.ts';
import type { RegisterOp } from '../register-access.ts';
import type { RegisterSpace } from '../register-space.ts';
import {
  allOnes,
  type BackendCase,
  type BackendFixture,
  openDevice,
  type Place,
  readAt,
  type Spaces,
  spaceOf,
  writeAt,
} from './backend-harness.ts';
import { required } from './conformance.ts';

/** How many accesses the device sees while `work` is done; `undefined` where nobody counts. */
async function accessesDuring(fixture: BackendFixture, spaces: Spaces, work: () => void): Promise<number | undefined> {
  await fixture.counter?.accesses(spaces);
  work();
  return fixture.counter?.accesses(spaces);
}

/** Everything that does not fit a place, one refusal each. */
function wrongAccesses(space: RegisterSpace, place: Place): (() => unknown)[] {
  const { offset, width } = place;
  const bytes = width / 8;
  const offsets = [space.sizeBytes, space.sizeBytes - bytes + 1, -bytes, offset + 0.5, Number.NaN, 2 ** 32, 2 ** 40];
  if (bytes > 1) offsets.push(offset + 1);
  const values = [-1, 2 ** width, 0.5, Number.NaN];
  return [
    ...offsets.flatMap((wrong) => [
      () => readAt([space], { space: 0, offset: wrong, width }),
      () => writeAt([space], { space: 0, offset: wrong, width }, 0),
      () => space.sequence([{ kind: 'read', width, offset: wrong }]),
    ]),
    ...values.map((value) => () => writeAt([space], { space: 0, offset, width }, value)),
    ...values.map((value) => () => space.sequence([{ kind: 'write', width, offset, value }])),
  ];
}

function opsOn(place: Place, values: readonly number[]): RegisterOp[] {
  const { offset, width } = place;
  return values.flatMap((value): RegisterOp[] => [
    { kind: 'write', width, offset, value },
    { kind: 'read', width, offset },
  ]);
}

function valuesFor(place: Place): number[] {
  const most = allOnes(place);
  return [0, most, 0x5a5a_5a5a % (most + 1), 0x8000_0001 % (most + 1), 1];
}

/** Register accesses. */
export const ACCESS_CASES: readonly BackendCase[] = [
  {
    title: 'reads back what was written',
    run: async (fixture) => {
      const { spaces } = await openDevice(fixture);
      for (const place of fixture.scratch) {
        for (const value of valuesFor(place)) {
          writeAt(spaces, place, value);
          expect(readAt(spaces, place)).toBe(value);
        }
      }
      for (const [index, place] of fixture.scratch.entries()) writeAt(spaces, place, index + 1);
      for (const [index, place] of fixture.scratch.entries()) expect(readAt(spaces, place)).toBe(index + 1);
    },
  },
  {
    title: 'refuses what does not fit, before the bus is touched',
    run: async (fixture) => {
      const { spaces } = await openDevice(fixture);
      const [place] = fixture.scratch;
      writeAt(spaces, place, 1);
      const seen = await accessesDuring(fixture, spaces, () => {
        for (const wrong of wrongAccesses(spaceOf(spaces, place), place)) expect(wrong).toThrow(RangeError);
      });
      expect(seen ?? 0).toBe(0);
      expect(readAt(spaces, place)).toBe(1);
    },
  },
  {
    title: 'refuses widths that the device does not take',
    run: async (fixture) => {
      const { spaces } = await openDevice(fixture);
      const seen = await accessesDuring(fixture, spaces, () => {
        for (const space of spaces) {
          const widths = space.description.widths ?? [8, 16, 32];
          if (!widths.includes(8)) expect(() => space.read8(0)).toThrow(RangeError);
          if (!widths.includes(16)) expect(() => space.write16(0, 0)).toThrow(RangeError);
          if (!widths.includes(32)) expect(() => space.readFifo32(0, new Uint8Array(4))).toThrow(RangeError);
        }
      });
      expect(seen ?? 0).toBe(0);
    },
  },
  {
    title: 'does every read exactly once, also when nobody uses its value',
    needs: ['count-accesses'],
    run: async (fixture) => {
      const { place } = required(fixture.counter, 'counter');
      const { spaces } = await openDevice(fixture);
      const times = fixture.repetitions ?? 1000;
      const discarded = () => {
        for (let i = 0; i < times; i++) readAt(spaces, place);
      };
      expect(await accessesDuring(fixture, spaces, discarded)).toBe(times);
      expect(await accessesDuring(fixture, spaces, discarded), 'now that the loop is hot').toBe(times);
      const { offset, width } = place;
      const twice = [{ kind: 'read', offset, width } as const, { kind: 'read', offset, width } as const];
      expect(await accessesDuring(fixture, spaces, () => void spaceOf(spaces, place).sequence(twice))).toBe(2);
    },
  },
  {
    title: 'does in a sequence what single accesses do',
    run: async (fixture) => {
      const { spaces } = await openDevice(fixture);
      for (const place of fixture.scratch) {
        const values = valuesFor(place);
        const ops = opsOn(place, values);
        expect(spaceOf(spaces, place).sequence(ops)).toEqual(values);
        expect(readAt(spaces, place)).toBe(values.at(-1));
      }
      const [place] = fixture.scratch;
      expect(spaceOf(spaces, place).sequence([])).toEqual([]);
    },
  },
  {
    title: 'does nothing of a sequence with a wrong step',
    run: async (fixture) => {
      const { spaces } = await openDevice(fixture);
      const [place] = fixture.scratch;
      const space = spaceOf(spaces, place);
      writeAt(spaces, place, 1);
      const wrong: RegisterOp = { kind: 'read', width: place.width, offset: space.sizeBytes };
      const seen = await accessesDuring(fixture, spaces, () => {
        expect(() => space.sequence([...opsOn(place, [2]), wrong])).toThrow(RangeError);
      });
      expect(seen ?? 0).toBe(0);
      expect(readAt(spaces, place)).toBe(1);
    },
  },
  {
    title: 'reads a FIFO in order, to the byte',
    needs: ['fifo-read'],
    run: async (fixture) => {
      const { place, offer } = required(fixture.fifoRead, 'fifoRead');
      const { spaces } = await openDevice(fixture);
      const expected = await offer(spaces);
      const into = new Uint8Array(expected.length + 2).fill(0xee);
      const half = 1 + expected.length / 2;
      readFifo(spaces, place, into.subarray(1, half));
      readFifo(spaces, place, into.subarray(half, half));
      readFifo(spaces, place, into.subarray(half, expected.length + 1));
      expect([...into]).toEqual([0xee, ...expected, 0xee]);
    },
  },
  {
    title: 'writes a FIFO in order, to the byte',
    needs: ['fifo-write'],
    run: async (fixture) => {
      const { place, lengthBytes, taken } = required(fixture.fifoWrite, 'fifoWrite');
      const { spaces } = await openDevice(fixture);
      const from = Uint8Array.from({ length: lengthBytes + 2 }, (_, index) => (7 * index + 1) & 0xff);
      const half = 1 + lengthBytes / 2;
      writeFifo(spaces, place, from.subarray(1, half));
      writeFifo(spaces, place, from.subarray(half, lengthBytes + 1));
      expect([...(await taken(spaces))]).toEqual([...from.subarray(1, lengthBytes + 1)]);
    },
  },
  {
    title: 'refuses FIFO transfers that are not whole words',
    run: async (fixture) => {
      const { spaces } = await openDevice(fixture);
      const [place] = fixture.scratch;
      if (place.width === 8) return;
      expect(() => readFifo(spaces, place, new Uint8Array(place.width / 8 + 1))).toThrow(RangeError);
      expect(() => writeFifo(spaces, place, new Uint8Array(1))).toThrow(RangeError);
    },
  },
  {
    title: 'flushes where a register is named for it, and says unsupported elsewhere',
    run: async (fixture) => {
      const { spaces } = await openDevice(fixture);
      for (const space of spaces) {
        if (space.description.flush !== undefined) space.flush();
        else expect(() => space.flush()).toThrow(expect.objectContaining({ code: 'unsupported' }));
        space.barrier();
      }
    },
  },
  {
    title: 'reads nothing when somebody looks at it',
    needs: ['count-accesses'],
    run: async (fixture) => {
      const { device, spaces } = await openDevice(fixture);
      const seen = await accessesDuring(fixture, spaces, () => {
        for (const thing of [device, ...spaces]) {
          inspect(thing, { depth: 9, showHidden: true, getters: true });
          String(thing);
          expect(() => expect(thing).toEqual({ something: 'else' })).toThrow();
        }
      });
      expect(seen).toBe(0);
    },
  },
  {
    title: 'throws closed from every access after its end',
    run: async (fixture) => {
      const { device, spaces } = await openDevice(fixture);
      await fixture.settle(device.close());
      for (const place of fixture.scratch) {
        const space = spaceOf(spaces, place);
        const { offset, width } = place;
        const word = new Uint8Array(width / 8);
        const attempts = [
          () => readAt(spaces, place),
          () => writeAt(spaces, place, 0),
          () => readFifo(spaces, place, word),
          () => writeFifo(spaces, place, word),
          () => space.sequence([{ kind: 'read', offset, width }]),
        ];
        for (const attempt of attempts) expect(closedBy(attempt)).toBe(true);
      }
    },
  },
];

function closedBy(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch (error) {
    return isDeviceError(error, 'closed');
  }
}

function readFifo(spaces: Spaces, place: Place, into: Uint8Array): void {
  const space = spaceOf(spaces, place);
  if (place.width === 8) space.readFifo8(place.offset, into);
  else if (place.width === 16) space.readFifo16(place.offset, into);
  else space.readFifo32(place.offset, into);
}

function writeFifo(spaces: Spaces, place: Place, from: Uint8Array): void {
  const space = spaceOf(spaces, place);
  if (place.width === 8) space.writeFifo8(place.offset, from);
  else if (place.width === 16) space.writeFifo16(place.offset, from);
  else space.writeFifo32(place.offset, from);
}
