import { type SerialPortFixture, serialPortConformance } from '@ring3/core/testing';
import { attachPair, type DriverSetUp } from './test-driver.ts';

async function start(setUp: DriverSetUp): Promise<SerialPortFixture> {
  const { a, b, machine } = await attachPair(
    { ...setUp, options: { receiveBufferBytes: 4096, ...setUp.options } },
    { options: { receiveBufferBytes: 4096 } },
  );
  return {
    port: a.port,
    peer: b.port,
    settle: (promise) => a.sim.run(promise),
    pass: a.pass,
    close: () => a.stop(),
    stop: async () => {
      await a.stop();
      await b.stop();
      machine.clock.close();
    },
  };
}

const kinds: readonly [string, DriverSetUp][] = [
  ['16550A by interrupt', {}],
  ['16550A by polling', { options: { interrupts: 'polling' } }],
  ['16450 by interrupt', { model: { kind: '16450' } }],
  [
    '32-bit registers in memory, no interrupt',
    {
      model: { space: 'memory', stride: 4, width: 32, interrupt: false },
      options: { registerStride: 4, registerWidth: 32 },
    },
  ],
];

for (const [name, setUp] of kinds) serialPortConformance({ name: `uart-16550, ${name}`, start: () => start(setUp) });
