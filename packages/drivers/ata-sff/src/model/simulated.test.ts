import { type Simulation, simulate } from '@ring3/backend-sim';
import { describe, expect, it } from 'vitest';
import model, { optionsSchema } from './index.ts';

/** Issues a data-in command on the simulator's machine and reads one block by interrupt. */
async function readBlock(simulation: Simulation, command: number, lengthBytes: number): Promise<Uint8Array> {
  const registers = simulation.ports('command0');
  const interrupt = simulation.interrupt(0);
  const ready = new Promise<number>((resolve) => {
    interrupt.attach(() => {
      resolve(registers.read8(7));
      return 'handled';
    });
  });
  interrupt.enable();
  registers.write8(2, 1);
  registers.write8(7, command);
  expect(await simulation.run(ready)).toBe(0x58);
  const bytes = new Uint8Array(lengthBytes);
  registers.readFifo16(0, bytes);
  return bytes;
}

const idle = (simulation: Simulation) =>
  simulation.run(
    new Promise<void>((resolve) => {
      simulation.clock.after(1000, resolve);
    }),
  );

describe('the controller on a simulated machine', () => {
  it.each(['compatibility', 'native'] as const)('delivers IDENTIFY data by interrupt in %s mode', async (mode) => {
    const simulation = await simulate(model, optionsSchema.parse({ mode, sectors: 1000 }));
    await idle(simulation);
    const bytes = await readBlock(simulation, 0xec, 512);
    expect(new DataView(bytes.buffer).getUint16(120, true)).toBe(1000);
    await simulation.close();
  });

  it('is gone when its power is cut', async () => {
    const simulation = await simulate(model, optionsSchema.parse({ sectors: 1000 }));
    await idle(simulation);
    simulation.cutPower();
    expect(simulation.ports('command0').read8(7)).toBe(0xff);
    expect(await simulation.device.gone).toContain('power');
    await simulation.close();
  });
});
