import { describe, expect, it } from 'vitest';
import { createBench } from './test-bench.ts';

describe('SET FEATURES 03h', () => {
  const modes = async (values: readonly number[]) => {
    const { host } = await createBench({ sectors: 1000 });
    const statuses: number[] = [];
    for (const count of values) statuses.push(await host.run({ command: 0xef, features: 0x03, count }));
    const words = new Uint16Array((await host.read({ command: 0xec }, 512)).buffer);
    return { statuses, selected: [words[63], words[88]] };
  };

  it('selects one DMA mode at a time', async () => {
    expect(await modes([0x22])).toEqual({ statuses: [0x50], selected: [0x0407, 0x007f] });
    expect(await modes([0x20, 0x46])).toEqual({ statuses: [0x50, 0x50], selected: [0x0007, 0x407f] });
    expect((await modes([0x40])).selected).toEqual([0x0007, 0x017f]);
  });

  it('leaves it alone for PIO modes and for modes that there are none of', async () => {
    const { statuses, selected } = await modes([0x00, 0x08, 0x0c, 0x0d, 0x10, 0x23, 0x47, 0x80]);
    expect(statuses).toEqual([0x50, 0x50, 0x50, 0x51, 0x51, 0x51, 0x51, 0x51]);
    expect(selected).toEqual([0x0007, 0x207f]);
  });

  it('keeps the mode over a software reset', async () => {
    const { bench, host } = await createBench({ sectors: 1000 });
    await host.run({ command: 0xef, features: 0x03, count: 0x21 });
    host.control(0x04);
    host.control(0x00);
    await bench.settle();
    const words = new Uint16Array((await host.read({ command: 0xec }, 512)).buffer);
    expect([words[63], words[88]]).toEqual([0x0207, 0x007f]);
  });
});
