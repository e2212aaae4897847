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
    dma: z
      .enum(['auto', 'on', 'off'])
      .default('auto')
      .describe(
        'data by bus master; auto: where firmware has prepared disk and controller; on: where a mode is selected in the disk',
      ),
    dmaBufferKiB: z
      .int()
      .min(4)
      .max(32_768)
      .default(1024)
      .describe('most memory for DMA of one channel; one transfer is at most as large as what is there'),
    multiple: z.boolean().default(true).describe('use READ and WRITE MULTIPLE: fewer interrupts per transfer'),
    maxTransferBlocks: z
      .int()
      .min(1)
      .max(65_536)
      .default(2048)
      .describe('most blocks of one command; the other device of the channel waits that long. 28-bit disks take 256'),
    registerStride: z
      .literal([1, 2, 4, 8, 16])
      .default(1)
      .describe('bytes from one register to the next, where address lines are shifted'),
    controlOffset: z
      .int()
      .min(0)
      .optional()
      .describe(
        'where AltStatus and Device Control are, in bytes: in control0, or in command0 where there is no control0',
      ),
    dataWidth: z
      .literal([8, 16, 32])
      .default(16)
      .describe('bits of an access to the Data register; 8: CompactFlash in its 8-bit mode, 32: two words at once'),
    verifyTaskFile: z
      .union([z.literal('auto'), z.boolean()])
      .default('auto')
      .describe(
        'read address and count back before each command: a write lost on the bus cannot hit other sectors; auto: where the registers are in memory',
      ),
    retries: z.int().min(0).max(5).default(2).describe('how often a request is tried again after a reset'),
    commandTimeoutSeconds: seconds(30).describe('how long a read or a write may stay silent'),
    flushTimeoutSeconds: seconds(60).describe('how long FLUSH CACHE may take'),
    lostInterruptSeconds: seconds(2).describe(
      'how long a device may be ready without its interrupt before that counts as lost',
    ),
  })
  .describe('ATA disks behind an SFF controller, by programmed I/O or bus master');

/** The options with all defaults filled in. */
export type AtaOptions = z.output<typeof ataOptions>;
