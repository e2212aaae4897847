import { DeviceError, IoPortSpace, type QuiesceStep, SILENT } from '@ring3/core';
import { ManualClock } from '@ring3/core/testing';
import { expect, it } from 'vitest';
import { runQuiesce } from './quiesce.ts';

/** A device that becomes idle after so many reads of its status. */
function device(readsUntilIdle: number) {
  const accesses: string[] = [];
  let reads = 0;
  const space = new IoPortSpace(
    { name: 'control', sizeBytes: 4, memoryType: 'port' },
    {
      read: () => (++reads > readsUntilIdle ? 0x00 : 0x80),
      write: (offset, width, value) => void accesses.push(`${width} bits at ${offset}: ${value}`),
    },
  );
  return { accesses, spaces: new Map([['control', space]]) };
}

const busyEnds: QuiesceStep = {
  kind: 'poll',
  space: 'control',
  width: 8,
  offset: 0,
  mask: 0x80,
  equals: 0,
  timeoutUs: 1000,
};
const mask: QuiesceStep = { kind: 'write', space: 'control', width: 8, offset: 2, value: 0x02 };

it('does its steps in order', async () => {
  const { accesses, spaces } = device(3);
  const clock = new ManualClock();
  await clock.settle(runQuiesce([mask, busyEnds, mask], spaces, clock, SILENT));
  expect(accesses).toEqual(['8 bits at 2: 2', '8 bits at 2: 2']);
});

it('goes on when a device does not become quiet in time, and says so', async () => {
  const { accesses, spaces } = device(Number.POSITIVE_INFINITY);
  const clock = new ManualClock();
  const said: string[] = [];
  const log = { ...SILENT, error: (message: string) => void said.push(message) };
  await clock.settle(runQuiesce([busyEnds, mask], spaces, clock, log));
  expect(accesses).toEqual(['8 bits at 2: 2']);
  expect(said[0]).toMatch(/^not quiet after 1 ms: control at 0x0 becoming 0x00 under mask 0x80 did not happen/);
});

it('goes on when a write fails, and says so', async () => {
  const { accesses, spaces } = device(0);
  const broken = new IoPortSpace(
    { name: 'broken', sizeBytes: 4, memoryType: 'port' },
    {
      read: () => 0,
      write: () => {
        throw new DeviceError('fault', 'the bus did not answer');
      },
    },
  );
  const clock = new ManualClock();
  const said: string[] = [];
  const log = { ...SILENT, error: (message: string) => void said.push(message) };
  await clock.settle(runQuiesce([{ ...mask, space: 'broken' }, mask], spaces.set('broken', broken), clock, log));
  expect(accesses).toEqual(['8 bits at 2: 2']);
  expect(said).toEqual(['not quiet: the bus did not answer']);
});

it('finds a device that is gone quiet', async () => {
  const gone = new IoPortSpace(
    { name: 'control', sizeBytes: 4, memoryType: 'port' },
    {
      read: () => {
        throw new DeviceError('gone', 'pulled out');
      },
      write: () => {
        throw new DeviceError('gone', 'pulled out');
      },
    },
  );
  const clock = new ManualClock();
  const said: string[] = [];
  const log = { ...SILENT, error: (message: string) => void said.push(message) };
  await clock.settle(runQuiesce([mask, busyEnds], new Map([['control', gone]]), clock, log));
  expect(said).toEqual([]);
});

it('passes over a space that the device does not have', async () => {
  const clock = new ManualClock();
  await expect(clock.settle(runQuiesce([mask], new Map(), clock, SILENT))).resolves.toBeUndefined();
});
