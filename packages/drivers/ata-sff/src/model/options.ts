import * as z from 'zod';
import { LBA28_MAX_SECTORS, SECTOR_BYTES } from './ata-registers.ts';
import { busMasterDefectsSchema, defectsSchema } from './defects.ts';

const text = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[\x20-\x7e]*$/, 'printable ASCII characters only');

const timingSchema = z.strictObject({
  commandUs: z.number().positive().default(10).describe('from the command to its first effect'),
  sectorUs: z.number().nonnegative().default(0.5).describe('per sector, to or from the medium or the cache'),
  flushUs: z.number().nonnegative().default(100),
  resetUs: z.number().positive().default(500).describe('from power-on or the end of a reset to the signature'),
  spinUpUs: z
    .number()
    .nonnegative()
    .default(0)
    .describe('from power-on, or out of standby, to the first access of the medium'),
  settleUs: z
    .number()
    .nonnegative()
    .max(0.4)
    .default(0.3)
    .describe('how long Status may still show what was before, after a command (ATA/ATAPI-6 section 9: 400 ns)'),
});

const powerCutSchema = z.strictObject({
  survivors: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('the part of the cached sectors that reach the medium all the same, 0 to 1'),
  seed: z.int().default(1),
});

const isPowerOf2 = (value: number) => value === 0 || Number.isInteger(Math.log2(value));

const imageShape = {
  image: z.string().min(1).optional().describe('raw image file; without it the disk lives in memory'),
  create: z.boolean().default(false).describe('makes the image file when it is missing'),
  sizeMiB: z.number().positive().optional(),
  sectors: z
    .int()
    .positive()
    .max(2 ** 48 - 1)
    .optional(),
  readOnly: z.boolean().default(false),
};

const diskSchema = z
  .strictObject({
    ...imageShape,
    channel: z.literal([0, 1]).default(0),
    position: z.enum(['master', 'slave']).default('master'),
    model: text(40).default('ring3 simulated disk'),
    serial: text(20).optional(),
    firmware: text(8).default('1.0'),
    lba48: z.boolean().default(true),
    multiple: z
      .int()
      .min(0)
      .max(128)
      .refine(isPowerOf2, 'a power of 2, or 0 for a disk without READ MULTIPLE')
      .default(16)
      .describe('most sectors of one DRQ block'),
    fua: z.boolean().default(true),
    dma: z.boolean().default(true).describe('READ DMA and its kin; false: they are aborted'),
    trim: z
      .enum(['none', 'random', 'deterministic', 'zero'])
      .default('random')
      .describe('what trimmed sectors read as; random, deterministic: zeros or what was there, as the seed has it'),
    trimSeed: z.int().default(1),
    writeCache: z.boolean().default(true),
    cacheMiB: z.number().positive().max(1024).default(32),
    physicalSectorBytes: z.literal([512, 1024, 2048, 4096]).default(512),
    hiddenSectors: z
      .int()
      .nonnegative()
      .default(0)
      .describe('sectors at the end that the host does not see (host protected area)'),
    eightBit: z.boolean().default(false).describe('SET FEATURES 01h makes the data register 8 bits wide'),
    compactFlash: z.boolean().default(false).describe('a CompactFlash card: its signature and commands, and eightBit'),
    atapi: z.boolean().default(false),
    timing: timingSchema.prefault({}),
    powerCut: powerCutSchema.prefault({}),
    defects: defectsSchema.prefault({}),
  })
  .superRefine((disk, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const sectors = diskSectors(disk);
    if (disk.sizeMiB !== undefined && disk.sectors !== undefined) issue('sectors', 'give sizeMiB or sectors, not both');
    if (sectors !== undefined && !Number.isInteger(sectors)) issue('sizeMiB', 'not a whole number of sectors');
    if (disk.create && disk.image === undefined) issue('create', 'creates an image file: name it with image');
    if (disk.create && sectors === undefined) issue('create', 'how large? give sizeMiB or sectors');
    if (disk.create && disk.readOnly) issue('create', 'an image that is made now cannot be readOnly');
    if (disk.hiddenSectors >= (sectors ?? Number.POSITIVE_INFINITY))
      issue('hiddenSectors', 'the disk has no more than that');
    if (!disk.lba48 && (sectors ?? 0) > LBA28_MAX_SECTORS)
      issue('lba48', `more than ${LBA28_MAX_SECTORS} sectors need it`);
  });

const localBusSchema = z.strictObject({
  kind: z.literal('memory'),
  start: z.int().nonnegative().describe('address of the task file'),
  stride: z
    .int()
    .positive()
    .max(4096)
    .refine(isPowerOf2, 'a power of 2')
    .default(1)
    .describe('bytes from one register to the next; reg-shift of the device tree is its logarithm'),
  dataWidth: z.literal([8, 16]).default(16).describe('data lines that are connected'),
  controlStart: z.int().nonnegative().optional().describe('address of a second region with the control register'),
  controlOffset: z
    .int()
    .nonnegative()
    .optional()
    .describe('where the control register is in the second region, or in the first one where there is no second'),
  interrupt: z.boolean().default(true).describe('INTRQ is connected'),
  line: z.string().min(1).default('IRQ 9'),
});

/** One channel on a local bus. */
export type LocalBusOptions = z.output<typeof localBusSchema>;

const busSchema = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('pci') }), localBusSchema]);

const controllerShape = {
  bus: busSchema.prefault({ kind: 'pci' }).describe('memory: no PCI function, one channel at fixed addresses'),
  mode: z.enum(['compatibility', 'native']).default('compatibility'),
  /** Native mode: where the base address registers 0 to 3 point. */
  bars: z
    .tuple([z.int(), z.int(), z.int(), z.int()])
    .default([0xc000, 0xc008, 0xc010, 0xc018])
    .describe('native mode: port addresses of BAR 0 to 3'),
  line: z.string().min(1).default('INTA').describe('native mode: the interrupt line of the function'),
  busMaster: z.boolean().default(true).describe('a bus master (SFF-8038i) behind BAR 4'),
  busMasterPorts: z.int().default(0xc020).describe('port address of the bus master'),
  dmaModes: z
    .enum(['firmware', 'none'])
    .default('firmware')
    .describe('none: no firmware has selected a DMA mode or set bits 5 and 6 of the bus master status'),
  simplex: z.boolean().default(false).describe('only one channel at a time can use the bus master'),
  busMasterDefects: busMasterDefectsSchema.prefault({}),
  floatingBus: z
    .literal([0x7f, 0xff])
    .default(0x7f)
    .describe('what an empty channel reads: 0x7f with the pull-down of DD7 that ATA asks for, 0xff without'),
  controlBlock: z.boolean().default(true).describe('false: a controller without Alternate Status and Device Control'),
  data32: z.boolean().default(true).describe('32-bit accesses to the data port move two words'),
};

const rawSchema = z.strictObject({ ...controllerShape, ...imageShape, disks: z.array(diskSchema).max(4).optional() });

type RawOptions = z.output<typeof rawSchema>;

/** The disk that `image` and its companions beside the controller's keys stand for: the primary master. */
const singleDisk = ({ image, create, sizeMiB, sectors, readOnly }: RawOptions) =>
  diskSchema.safeParse({ image, create, sizeMiB, sectors, readOnly });

function checkSingleDisk(options: RawOptions, context: z.RefinementCtx): void {
  const { error } = singleDisk(options);
  for (const { message, path } of error?.issues ?? []) context.addIssue({ code: 'custom', path: [...path], message });
}

/** The control register must not lie on the task file, nor a disk on a channel that is not there. */
function checkBus({ bus, disks = [] }: RawOptions, context: z.RefinementCtx): void {
  if (bus.kind !== 'memory') return;
  const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  const { controlStart, controlOffset, stride } = bus;
  if (controlStart === undefined && controlOffset !== undefined && controlOffset < 8 * stride) {
    issue(['bus', 'controlOffset'], `the task file takes the first ${8 * stride} bytes`);
  }
  for (const [index, { channel }] of disks.entries()) {
    if (channel !== 0) issue(['disks', index, 'channel'], 'a local bus has one channel, 0');
  }
}

function checkDiskList(disks: readonly DiskOptions[], options: RawOptions, context: z.RefinementCtx): void {
  const single = (['image', 'sizeMiB', 'sectors'] as const).filter((key) => options[key] !== undefined);
  for (const key of single) {
    context.addIssue({ code: 'custom', path: [key], message: 'describes a single disk: put it into disks' });
  }
  const places = new Set<string>();
  for (const [index, { channel, position }] of disks.entries()) {
    const place = `channel ${channel} ${position}`;
    const message = `there is a disk at ${place} already; a channel has a master and a slave`;
    if (places.has(place)) context.addIssue({ code: 'custom', path: ['disks', index, 'position'], message });
    places.add(place);
  }
}

/** What the configuration may say of a simulated controller. */
export const optionsSchema = rawSchema
  .superRefine((options, context) => {
    checkBus(options, context);
    if (options.disks === undefined) checkSingleDisk(options, context);
    else checkDiskList(options.disks, options, context);
  })
  .transform(({ image, create, sizeMiB, sectors, readOnly, disks, ...controller }) => ({
    ...controller,
    disks: disks ?? [diskSchema.parse({ image, create, sizeMiB, sectors, readOnly })],
  }));

/** The options with all defaults filled in. */
export type ControllerOptions = z.output<typeof optionsSchema>;

/** What a person writes. */
export type ControllerOptionsInput = z.input<typeof optionsSchema>;

/** One disk of the options, with all defaults filled in. */
export type DiskOptions = z.output<typeof diskSchema>;

/** The size that the options ask for; `undefined` where the image decides. */
export function diskSectors(disk: { sizeMiB?: number | undefined; sectors?: number | undefined }): number | undefined {
  return disk.sectors ?? (disk.sizeMiB === undefined ? undefined : (disk.sizeMiB * 2 ** 20) / SECTOR_BYTES);
}
