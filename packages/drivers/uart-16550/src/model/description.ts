import type { ModelDescription } from '@ring3/backend-sim/model';
import type { UartOptions } from './options.ts';

const PORT_START = 0x3f8;
const MEMORY_START = 0xfec0_0000;
/** Simple communication controller, serial, 16550-compatible. */
const CLASS_16550 = 0x07_00_02;

/** What the simulated UART looks like on its bus. */
export function describeUart(options: UartOptions): ModelDescription {
  const { space: kind, stride, width, line } = options;
  const start = BigInt(options.start ?? (kind === 'port' ? PORT_START : MEMORY_START));
  return {
    identity:
      kind === 'port'
        ? { pci: { vendorId: 0x1234, deviceId: 0x1655, classCode: CLASS_16550, revision: 1 } }
        : { compatible: ['ns16550a'] },
    spaces: [{ name: 'registers', kind, bar: 0, start, sizeBytes: 8 * stride, widths: [width] }],
    interrupts: options.interrupt ? [{ index: 0, trigger: 'level', line }] : [],
  };
}
