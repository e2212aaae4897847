import { z } from 'zod';

const seconds = (value: number) => z.number().positive().max(600).default(value);

/** What the configuration may say of this driver. */
export const ataOptions = z
  .strictObject({
    interrupts: z
      .enum(['auto', 'polling', 'required'])
      .default('auto')
      .describe('auto: by interrupt where the device has one, else by polling; required: refuse to start without'),
    readOnly: z.boolean().default(false).describe('refuse writes'),
    devices: z
      .enum(['both', 'first', 'second'])
      .default('both')
      .describe('which devices of a channel to look for: device 0 (master), device 1 (slave) or both'),
    writeCache: z
      .enum(['keep', 'on', 'off'])
      .default('keep')
      .describe('volatile write cache of the disks; keep: as the disk has it when the driver starts'),
    multiple: z.boolean().default(true).describe('use READ and WRITE MULTIPLE: fewer interrupts per transfer'),
    maxTransferBlocks: z
      .int()
      .min(1)
      .max(65_536)
      .default(2048)
      .describe('most blocks of one command; the other device of the channel waits that long. 28-bit disks take 256'),
    verifyTaskFile: z
      .boolean()
      .default(true)
      .describe('read address and count back before each command: a write lost on the bus cannot hit other sectors'),
    retries: z.int().min(0).max(5).default(2).describe('how often a request is tried again after a reset'),
    commandTimeoutSeconds: seconds(30).describe('how long a read or a write may stay silent'),
    flushTimeoutSeconds: seconds(60).describe('how long FLUSH CACHE may take'),
    lostInterruptSeconds: seconds(2).describe(
      'how long a device may be ready without its interrupt before that counts as lost',
    ),
  })
  .describe('ATA disks behind an SFF controller, driven by programmed I/O');

/** The options with all defaults filled in. */
export type AtaOptions = z.output<typeof ataOptions>;
