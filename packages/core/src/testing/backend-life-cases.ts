import { expect } from 'vitest';
import { sleep } from '../clock.ts';
import { isDeviceError } from '../device-error.ts';
import { IoPortSpace, MemoryRegion } from '../memory-region.ts';
import { allOnes, type BackendCase, openDevice, readAt, spaceOf, writeAt } from './backend-harness.ts';
import { rejection, required } from './conformance.ts';

/** What devices are, from the first look to the end. */
export const LIFE_CASES: readonly BackendCase[] = [
  {
    title: 'describes a device in plain data, the same each time and when it is open',
    run: async ({ backend, selector, settle }) => {
      const description = await settle(backend.describe(selector));
      expect(structuredClone(description)).toEqual(description);
      expect(await settle(backend.describe(selector))).toEqual(description);
      const device = await settle(backend.open(selector));
      expect(device.description).toEqual(description);
      const listed = await settle(backend.list());
      expect(new Set(listed.map(({ id }) => id)).size, 'ids are unique').toBe(listed.length);
      for (const one of listed) if (one.id === description.id) expect(one).toEqual(description);
    },
  },
  {
    title: 'says not-found for a device that is not there',
    needs: ['absent'],
    run: async (fixture) => {
      const { backend, settle } = fixture;
      const absent = required(fixture.absent, 'absent');
      for (const attempt of [() => backend.describe(absent), () => backend.open(absent)]) {
        const error = await settle(rejection(attempt));
        expect(isDeviceError(error, 'not-found'), String(error)).toBe(true);
      }
    },
  },
  {
    title: 'touches no register by describing and opening',
    needs: ['count-accesses'],
    run: async (fixture) => {
      const { accesses } = required(fixture.counter, 'counter');
      const first = await openDevice(fixture);
      await accesses(first.spaces);
      await fixture.settle(fixture.backend.describe(fixture.selector));
      await fixture.settle(fixture.backend.list());
      for (const resource of first.device.description.interrupts) await first.device.openInterrupt(resource);
      expect(await accesses(first.spaces)).toBe(0);
    },
  },
  {
    title: 'opens each space as it is described',
    run: async (fixture) => {
      const { device, spaces } = await openDevice(fixture);
      for (const [index, { kind, sizeBytes, start }] of device.description.spaces.entries()) {
        const space = spaceOf(spaces, { space: index, offset: 0, width: 8 });
        expect(space).toBeInstanceOf(kind === 'memory' ? MemoryRegion : IoPortSpace);
        expect(space.sizeBytes).toBe(sizeBytes);
        if (space.description.start !== undefined) expect(space.description.start).toBe(start);
      }
    },
  },
  {
    title: 'refuses to open a range that the device does not have',
    run: async ({ backend, selector, settle }) => {
      const device = await settle(backend.open(selector));
      const [resource] = device.description.spaces;
      const elsewhere = { ...required(resource, 'space in the description'), start: 0x7_0000_0000n };
      expect(await settle(rejection(async () => device.openSpace(elsewhere)))).toBeInstanceOf(Error);
    },
  },
  {
    title: 'maps nothing but what is asked for, and nothing after the end',
    needs: ['count-mappings'],
    run: async (fixture) => {
      const mappings = required(fixture.mappings, 'mappings');
      const device = await fixture.settle(fixture.backend.open(fixture.selector));
      expect(await mappings()).toBe(0);
      for (const [index, resource] of device.description.spaces.entries()) {
        await device.openSpace(resource);
        expect(await mappings()).toBe(index + 1);
      }
      await fixture.settle(device.close());
      expect(await mappings()).toBe(0);
    },
  },
  {
    title: "gives the clock of the device's time",
    run: async (fixture) => {
      const { device } = await openDevice(fixture);
      const before = device.clock.nowUs();
      let early = true;
      await fixture.settle(
        new Promise<void>((resolve) => {
          device.clock.after(0, () => {
            expect(early, 'a timer that fires inside of after()').toBe(false);
            resolve();
          });
          early = false;
        }),
      );
      await fixture.settle(sleep(device.clock, 2000));
      expect(device.clock.nowUs() - before).toBeGreaterThanOrEqual(2000);
    },
  },
  {
    title: 'closes twice as once, and opens again',
    run: async (fixture) => {
      const { device } = await openDevice(fixture);
      await fixture.settle(device.close());
      await fixture.settle(device.close());
      const again = await openDevice(fixture);
      const [place] = fixture.scratch;
      writeAt(again.spaces, place, 1);
      expect(readAt(again.spaces, place)).toBe(1);
      await fixture.settle(again.device.close());
    },
  },
  {
    title: 'refuses to open spaces and interrupts of a device that was closed',
    run: async ({ backend, selector, settle }) => {
      const device = await settle(backend.open(selector));
      await settle(device.close());
      const [space] = device.description.spaces;
      const [interrupt] = device.description.interrupts;
      if (space !== undefined) await expectClosed(settle(rejection(async () => device.openSpace(space))));
      if (interrupt !== undefined) await expectClosed(settle(rejection(async () => device.openInterrupt(interrupt))));
    },
  },
  {
    title: 'opens a device once at a time',
    needs: ['exclusive'],
    run: async ({ backend, selector, settle }) => {
      const device = await settle(backend.open(selector));
      const error = await settle(rejection(() => backend.open(selector)));
      expect(isDeviceError(error, 'busy'), String(error)).toBe(true);
      await settle(device.close());
      await settle((await settle(backend.open(selector))).close());
    },
  },
  {
    title: 'reads all ones from a device that is gone, and says why',
    needs: ['remove'],
    run: async (fixture) => {
      const { device, spaces } = await openDevice(fixture);
      await required(fixture.remove, 'remove')();
      expect((await fixture.settle(device.gone)).length).toBeGreaterThan(0);
      for (const place of fixture.scratch) {
        writeAt(spaces, place, 0);
        expect(readAt(spaces, place)).toBe(allOnes(place));
      }
      await fixture.settle(device.close());
    },
  },
];

async function expectClosed(error: Promise<unknown>): Promise<void> {
  expect(isDeviceError(await error, 'closed'), String(await error)).toBe(true);
}
