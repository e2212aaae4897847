/**
 * ATA disks behind an SFF-8038i controller, by bus master or programmed I/O, or on any other bus that shows a task file.
 *
 * Not supported: packet devices (ATAPI), cylinder addressing, tagged queueing, hot plugging of single devices, controller
 * timing registers (the modes that firmware left are used).
 */
import {
  BLOCK_DEVICE,
  compatible,
  defineDriver,
  dma,
  interrupt,
  named,
  optional,
  pciClass,
  registers,
} from '@ring3/core';
import { attachController } from './controller.ts';
import { layoutsOf } from './layouts.ts';
import { ataOptions } from './options.ts';
import { quiesceSteps } from './quiesce.ts';

export type { AtaController } from './controller.ts';
export { type AtaOptions, ataOptions } from './options.ts';

/** The driver. Publishes a block device for each disk: `disk0` to `disk3`, channel times two plus position. */
export const ataSff = defineDriver({
  name: 'ata-sff',
  match: [pciClass(0x010100), compatible('ata-generic'), named('ata')],
  needs: {
    command0: registers({ bar: 0, name: 'command0' }, 8),
    control0: optional(registers({ bar: 1, name: 'control0' })),
    irq0: optional(interrupt({ index: 0 })),
    command1: optional(registers({ bar: 2, name: 'command1' }, 8)),
    control1: optional(registers({ bar: 3, name: 'control1' })),
    irq1: optional(interrupt({ index: 1 })),
    busMaster: optional(registers({ bar: 4, name: 'busMaster' }, 16)),
    dma: optional(dma()),
  },
  options: ataOptions,
  provides: [BLOCK_DEVICE],
  // FLUSH CACHE may take a minute, and a command may have to end before it.
  stopTimeoutUs: 65_000_000,
  quiesce: quiesceSteps,
  layouts: layoutsOf,
  attach({ command0, control0, irq0, command1, control1, irq1, busMaster, dma, ...environment }, options, scope) {
    const channels = [{ command: command0, control: control0, interrupt: irq0 }];
    // In native mode both channels share the interrupt of the function.
    if (command1 !== undefined) channels.push({ command: command1, control: control1, interrupt: irq1 ?? irq0 });
    return attachController(environment, { channels, busMaster, dma }, options, scope);
  },
});

export default ataSff;
