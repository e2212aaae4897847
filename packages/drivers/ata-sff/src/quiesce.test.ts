import { expect, it } from 'vitest';
import { ataOptions, ataSff } from './index.ts';
import { quiesceSteps } from './quiesce.ts';

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

it('shows tools the control block where it is, and that reading the status takes the interrupt back', () => {
  const layouts = ataSff.layouts?.({ control0: 4, control1: 1 }, ataOptions.parse({}));
  expect(layouts?.control0?.['alternateStatus']).toMatchObject({ offset: 2, access: 'read-only' });
  expect(layouts?.control1?.['alternateStatus']).toMatchObject({ offset: 0 });
  expect(layouts?.command0?.['status']?.readAction).toMatch(/interrupt/);
  expect(layouts?.control0?.['alternateStatus']?.readAction).toBeUndefined();
});
