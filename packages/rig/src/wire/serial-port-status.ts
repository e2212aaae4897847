import { DeviceError, type SerialPort, type SerialStatus } from '@ring3/core';
import { z } from 'zod';

const count = z.int().nonnegative();

/** What a host says of the state of a port. */
export const statusSchema = z.object({
  settings: z.object({
    baudRate: z.number().positive(),
    dataBits: z.literal([5, 6, 7, 8]),
    parity: z.enum(['none', 'even', 'odd', 'mark', 'space']),
    stopBits: z.literal([1, 1.5, 2]),
    flowControl: z.enum(['none', 'rts-cts', 'xon-xoff']),
  }),
  outputs: z.object({ dtr: z.boolean(), rts: z.boolean(), break: z.boolean() }),
  inputs: z.object({ cts: z.boolean(), dsr: z.boolean(), dcd: z.boolean(), ri: z.boolean() }),
  errors: z.object({
    overruns: count,
    bufferOverruns: count,
    parity: count,
    framing: count,
    breaks: count,
    interruptions: count,
  }),
});

/** The state of a port as it is now. @throws DeviceError `closed` when it has ended. */
export function currentStatus(port: SerialPort): SerialStatus {
  let status: SerialStatus | undefined;
  port.status$
    .subscribe((now) => {
      status = now;
    })
    .unsubscribe();
  if (status === undefined) throw new DeviceError('closed', `the serial port ${port.info.model} has ended`);
  return status;
}
