import { dmaConformance } from '@ring3/core/testing';
import { SystemMemory } from './machine/system-memory.ts';

for (const coherent of [true, false]) {
  dmaConformance({
    name: `of the simulated machine, ${coherent ? 'coherent' : 'not coherent'}`,
    start: async () => {
      const memory = new SystemMemory({ coherent });
      const loan = memory.pool.lend();
      const read = async (busAddress: bigint, length: number) => {
        const into = new Uint8Array(length);
        memory.read(busAddress, into);
        return into;
      };
      const write = async (busAddress: bigint, from: Uint8Array) => void memory.write(busAddress, from);
      return { dma: loan, device: { read, write }, close: async () => loan.close(), stop: async () => {} };
    },
  });
}
