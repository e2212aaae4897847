import { type Clock, DeviceError, hex, pollUntil } from '@ring3/core';
import { divisorFor, lineControl } from './line-format.ts';
import type { UartOptions } from './options.ts';
import { LSR, MCR, PATTERNS } from './registers.ts';
import type { Uart } from './uart.ts';

/**
 * Sends characters through the chip's own loopback (PC16550D 8.8, bit 4), at the configured rate.
 * @throws DeviceError `fault` when other characters come back, `timeout` when none do.
 */
export async function testLoopback(name: string, uart: Uart, clock: Clock, options: UartOptions): Promise<void> {
  uart.setLine(lineControl({ ...options, dataBits: 8 }));
  uart.setDivisor(divisorFor(options.clockRate, options.baudRate));
  uart.setModem(MCR.LOOP);
  for (const pattern of PATTERNS) {
    uart.put(Uint8Array.of(pattern));
    await pollUntil(clock, {
      what: `${name}: a character coming back through the loopback of the chip`,
      read: () => uart.lineStatus(),
      until: (status) => (status & LSR.DR) !== 0,
      timeoutUs: 1_000_000 + (50 * 1e6) / options.baudRate,
    });
    const back = uart.take();
    if (back === pattern) continue;
    throw new DeviceError('fault', `${name}: ${hex(pattern, 8)} came back as ${hex(back, 8)} through the loopback`);
  }
  uart.reset();
}
