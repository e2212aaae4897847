import { z } from 'zod';

/** What the configuration may say of this driver. */
export const uartOptions = z
  .strictObject({
    baudRate: z.number().positive().default(115_200).describe('bits per second'),
    dataBits: z.literal([5, 6, 7, 8]).default(8),
    parity: z.enum(['none', 'even', 'odd', 'mark', 'space']).default('none'),
    stopBits: z.literal([1, 1.5, 2]).default(1).describe('1.5 with 5 data bits only, 2 with more'),
    flowControl: z.enum(['none', 'rts-cts', 'xon-xoff']).default('none'),
    interrupts: z
      .enum(['auto', 'polling', 'required'])
      .default('auto')
      .describe('auto: by interrupt where the device has one, else by polling; required: refuse to start without'),
    clockRate: z.int().positive().default(1_843_200).describe('of the baud generator, in Hz'),
    registerStride: z.literal([1, 2, 4]).default(1).describe('distance of the registers in bytes (reg-shift 0, 1, 2)'),
    registerWidth: z.literal([8, 16, 32]).default(8).describe('width of an access in bits (reg-io-width 1, 2, 4)'),
    fifo: z.enum(['auto', 'off']).default('auto').describe('auto: used where it is found and works'),
    receiveTrigger: z
      .literal([1, 4, 8, 14])
      .default(8)
      .describe('characters in the FIFO at which it interrupts: more mean fewer interrupts and less time to answer'),
    receiveBufferBytes: z
      .int()
      .min(256)
      .max(16 * 1024 * 1024)
      .default(65_536)
      .describe('for what nobody has read yet; the other end is asked to wait when it is half full'),
    selfTest: z.boolean().default(false).describe('send a few characters through the loopback of the chip first'),
    drainSeconds: z
      .number()
      .nonnegative()
      .max(10)
      .default(2)
      .describe('how long a stop waits for what was written to leave'),
  })
  .refine(({ registerStride, registerWidth }) => registerWidth / 8 <= registerStride, {
    path: ['registerWidth'],
    message: 'is more than registerStride: registers would overlap',
  })
  .describe('A serial port of the 8250, 16450 and 16550 family');

/** The options with all defaults filled in. */
export type UartOptions = z.output<typeof uartOptions>;
