/**
 * The teaching device of QEMU (`-device edu`): computes factorials and interrupts when it is done.
 *
 * Not supported: its DMA engine; message-signalled interrupts.
 */
import { defineDriver, interrupt, memory, optional, pciId } from '@ring3/core';
import { Edu } from './edu.ts';
import { EDU_REGISTERS } from './registers.ts';
import { FACTORIAL_UNIT } from './service.ts';

export { FACTORIAL_UNIT, type FactorialUnit } from './service.ts';

const { status, interruptAcknowledge } = EDU_REGISTERS;

/** The driver. Publishes one factorial unit, `unit0`. */
export const edu = defineDriver({
  name: 'edu',
  match: [pciId(0x1234, 0x11e8)],
  needs: {
    registers: memory({ bar: 0, name: 'registers' }, 0x80),
    irq: optional(interrupt()),
  },
  provides: [FACTORIAL_UNIT],
  quiesce: () => [
    { kind: 'write', space: 'registers', width: 32, offset: status.offset, value: 0 },
    { kind: 'write', space: 'registers', width: 32, offset: interruptAcknowledge.offset, value: 0xffff_ffff },
  ],
  layouts: () => ({ registers: EDU_REGISTERS }),
  attach({ registers, irq, clock, services, log, name }, _options, scope) {
    const device = new Edu({ registers, irq, clock });
    if (irq !== undefined) scope.defer('interrupt handler', device.listen(irq));
    scope.defer('the running command', () => device.stop());
    services.publish(FACTORIAL_UNIT, 'unit0', device);
    log.info(`${name}: edu ${device.version}, ${irq === undefined ? 'polled' : 'by interrupt'}`);
    return device;
  },
});

export default edu;
