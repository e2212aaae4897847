import { expect, it } from 'vitest';
import { ataOptions, ataSff } from './index.ts';
import { quiesceSteps } from './quiesce.ts';
import { attachDriver } from './test-driver.ts';

it.each([
  ['no control block: nothing can be done', {}, []],
  ['a byte, as at port 3F6h', { control0: 1 }, [['control0', 0]]],
  [
    'a base address register of four bytes',
    { control0: 4, control1: 4 },
    [
      ['control0', 2],
      ['control1', 2],
    ],
  ],
])('masks the interrupts: %s', (_what, sizes, expected) => {
  const nIEN = 0x02;
  const steps = expected.map(([space, offset]) => ({ kind: 'write', space, width: 8, offset, value: nIEN }));
  expect(quiesceSteps({ command0: 8, command1: 8, ...sizes }, ataOptions.parse({}))).toEqual(steps);
});

it('stops both bus masters before anything else', () => {
  const steps = quiesceSteps({ command0: 8, control0: 1, busMaster: 16 }, ataOptions.parse({}));
  const start = { kind: 'write', space: 'busMaster', width: 8, value: 0 };
  expect(steps.slice(0, 2)).toEqual([
    { ...start, offset: 0 },
    { ...start, offset: 8 },
  ]);
  expect(steps).toHaveLength(3);
});

it('ends a transfer of a driver that is dead', async () => {
  const model = { disks: [{ sizeMiB: 4, timing: { sectorUs: 100 } }] };
  const driver = await attachDriver({ byDma: true, model });
  const { sim } = driver;
  driver
    .disk()
    .read(0, new Uint8Array(1000 * 512))
    .catch(() => {});
  await sim.run(new Promise<void>((resolve) => sim.clock.after(20_000, resolve)));
  expect(sim.space('busMaster').read8(2) & 0x01).toBe(1);
  for (const step of quiesceSteps({ command0: 8, control0: 1, busMaster: 16 }, ataOptions.parse({})))
    if (step.kind === 'write') sim.space(step.space).write8(step.offset, step.value);
  expect(sim.space('busMaster').read8(2) & 0x01).toBe(0);
});

it('shows tools the control block where it is, and that reading the status takes the interrupt back', () => {
  const layouts = ataSff.layouts?.({ control0: 4, control1: 1 }, ataOptions.parse({}));
  expect(layouts?.control0?.['alternateStatus']).toMatchObject({ offset: 2, access: 'read-only' });
  expect(layouts?.control1?.['alternateStatus']).toMatchObject({ offset: 0 });
  expect(layouts?.command0?.['status']?.readAction).toMatch(/interrupt/);
  expect(layouts?.control0?.['alternateStatus']?.readAction).toBeUndefined();
});
