/** A task file on a memory region, as a CompactFlash card in True IDE mode has it: stride, width, place of the control block. */
import { describe, expect, it } from 'vitest';
import { ataOptions, ataSff } from './index.ts';
import { attachDriver, blocks, type DriverSetUp, same } from './test-driver.ts';
import { Witness } from './test-witness.ts';

type Bus = Extract<NonNullable<NonNullable<DriverSetUp['model']>['bus']>, { kind: 'memory' }>;
type Options = NonNullable<DriverSetUp['options']>;

function attachCard(bus: Partial<Bus>, options: Options, disk = {}) {
  return attachDriver({
    model: { bus: { kind: 'memory', start: 0x1a000, ...bus }, disks: [{ sizeMiB: 1, compactFlash: true, ...disk }] },
    options: { devices: 'first', ...options },
  });
}

const wirings: readonly [string, Partial<Bus>, Options][] = [
  ['side by side, no control block, polled', { interrupt: false }, {}],
  [
    'two bytes apart, control block in the same region',
    { stride: 2, controlOffset: 28 },
    { registerStride: 2, controlOffset: 28 },
  ],
  ['four bytes apart, control block elsewhere', { stride: 4, controlStart: 0x1a100 }, { registerStride: 4 }],
  [
    'four bytes apart, 8 data lines, polled',
    { stride: 4, controlStart: 0x1a100, dataWidth: 8, interrupt: false },
    { registerStride: 4, dataWidth: 8 },
  ],
  ['8 data lines, no control block', { dataWidth: 8 }, { dataWidth: 8 }],
];

describe('a CompactFlash card', () => {
  it.each(wirings)('%s', async (_what, bus, options) => {
    const driver = await attachCard(bus, options);
    await driver.write(5, blocks(300));
    expect(same(await driver.read(5, 300), blocks(300))).toBe(true);
    await driver.flush();
    expect(driver.hardware.violations).toEqual([]);
    expect(driver.controller.statistics['ata0 channel 0']).toMatchObject({ lostInterrupts: 0, resets: 1 });
    await driver.stop();
  });

  it('is told again to use 8 bits after a reset', async () => {
    const commands = [{ on: [0x20, 0xc4], hangUs: 'forever' as const }];
    const bus = { dataWidth: 8 as const, controlStart: 0x1a100 };
    const driver = await attachCard(bus, { dataWidth: 8 }, { defects: { commands } });
    await driver.write(0, blocks(4));
    expect(await driver.read(0, 4)).toEqual(blocks(4));
    expect(driver.controller.statistics['ata0 channel 0']?.resets).toBe(2);
  });

  it('has its registers read back, since a local bus has no parity', async () => {
    const driver = await attachCard({ stride: 2 }, { registerStride: 2 });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(1));
    expect(witness.of('read', 'command0', 8).length).toBeGreaterThan(0);
  });

  it('with a stride that does not fit its region is refused in words', async () => {
    await expect(attachCard({ stride: 2 }, { registerStride: 4 })).rejects.toMatchObject({
      code: 'config',
      message: /registerStride 4 .* need 29 bytes/,
    });
    await expect(attachCard({}, { controlOffset: 14 })).rejects.toMatchObject({ code: 'config' });
  });
});

describe('the width of the data port', () => {
  it.each([8, 16, 32] as const)('is %i bits where the options say so', async (dataWidth) => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, eightBit: true }] }, options: { dataWidth } });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(40));
    expect(await driver.read(0, 40)).toEqual(blocks(40));
    const data = witness.seen.filter(({ space, offset }) => space === 'command0' && offset === 0);
    expect(new Set(data.map(({ width }) => width))).toEqual(new Set([dataWidth]));
  });

  it('A25: is not tried at 8 bits on a disk that refuses them', async () => {
    const driver = await attachDriver({ options: { dataWidth: 8 } });
    expect(driver.services.list()).toEqual([]);
    expect(driver.said.join()).toContain('SET FEATURES (8-bit data)');
  });
});

it('tools find the registers where the options say', () => {
  const options = ataOptions.parse({ registerStride: 4, controlOffset: 0x38 });
  const layouts = ataSff.layouts?.({ command0: 64 }, options);
  expect(layouts?.command0?.['status']?.offset).toBe(28);
  expect(layouts?.command0?.['alternateStatus']?.offset).toBe(0x38);
  expect(ataSff.quiesce?.({ command0: 64 }, options)).toEqual([
    { kind: 'write', space: 'command0', width: 8, offset: 0x38, value: 2 },
  ]);
  const pci = ataSff.layouts?.({ busMaster: 16 }, ataOptions.parse({}));
  expect(pci?.busMaster?.['status1']?.offset).toBe(10);
});
