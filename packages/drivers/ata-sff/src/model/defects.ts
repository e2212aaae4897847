import * as z from 'zod';

const sectorList = z.array(z.int().nonnegative());
const forever = z.literal('forever').transform(() => Number.POSITIVE_INFINITY);
const durationUs = z.union([z.number().nonnegative(), forever]);
const times = z.union([z.int().positive(), forever]);

const failSchema = z.strictObject({
  /** Bits of the Error register. */
  error: z.int().min(0).max(0xff).default(0x04).describe('bits of the Error register; 4 = ABRT, 64 = UNC, 16 = IDNF'),
  /** DF instead of ERR: the device itself is broken. */
  deviceFault: z.boolean().default(false),
  /** The sector that the registers name. Default: the first of the block. */
  lba: z.int().nonnegative().optional(),
  /** DRQ with the error: `block` = the block is there and ends the command; `stuck` = until `stuckWords` were read. */
  drq: z.enum(['none', 'block', 'stuck']).default('none'),
  stuckWords: z.int().positive().default(256),
});

const commandDefectSchema = z.strictObject({
  /** Command codes that it concerns. Default: all. */
  on: z.array(z.int().min(0).max(0xff)).optional(),
  /** How many of them pass unharmed before. */
  skip: z.int().nonnegative().default(0),
  /** How many of them it hits. */
  times: times.default(1),
  /**
   * Which data block of the command the following concern, from 0; after the last block of a write: the end.
   * DMA has no blocks: it counts sectors, and its one interrupt gets lost whatever this says.
   */
  atBlock: z.int().nonnegative().default(0),
  /** BSY stays set that much longer before the block; `forever` = until a reset. */
  hangUs: durationUs.default(0),
  /** The interrupt is lost, everything else happens. */
  loseInterrupt: z.boolean().default(false),
  /** BSY clears with the interrupt, DRQ comes that much later; `forever` = never: neither data nor error. */
  lateDrqUs: durationUs.default(0),
  fail: failSchema.optional(),
});

/** The schema of {@link Defects}; every key has the value of a sound disk as default. */
export const defectsSchema = z.strictObject({
  /** Commands that go wrong; the first that fits is used up by one command. */
  commands: z.array(commandDefectSchema).default([]),
  /** Status and Alternate Status always read this. */
  stuckStatus: z.int().min(0).max(0xff).optional(),
  /** Bits that are set in Status beside BSY, where they mean nothing (ATA/ATAPI-6 section 7.15). */
  statusBitsWhileBusy: z.int().min(0).max(0xff).default(0x50),
  /** Sectors that cannot be read until they are written anew. */
  unreadable: sectorList.default([]),
  /** Sectors that cannot be written: found when they reach the medium. */
  unwritable: sectorList.default([]),
  /** What FLUSH CACHE does: `lie` = says good and does nothing. */
  flush: z.enum(['good', 'lie', 'fail', 'device-fault', 'hang']).default('good'),
  /** What IDENTIFY DEVICE gives. */
  identify: z
    .enum(['good', 'swapped-strings', 'bad-checksum', 'compact-flash', 'all-ones', 'all-zeros', 'no-capacity'])
    .default('good'),
  /** Device 0 answers for device 1 with its own status: a slave that does not exist. */
  ghostSlave: z.boolean().default(false),
  /** The next command that touches the medium ends with MC: the medium was changed. */
  mediumChanged: z.boolean().default(false),
  /** After a software reset BSY stays set that much longer; `forever` = until the power is cut. */
  resetHangUs: durationUs.default(0),
  /** The diagnostic code after resets; 1 = good. */
  diagnosticCode: z.int().min(0).max(0xff).default(0x01),
});

/** The schema of {@link BusMasterDefects}. */
export const busMasterDefectsSchema = z.strictObject({
  /** Active stays set when the last region was transferred, until the host stops the bus master. */
  activeStuck: z.boolean().default(false),
  /** The Interrupt bit is never set. */
  interruptBitLost: z.boolean().default(false),
});

/** What is wrong with the bus master of a controller. Plain data: a test changes it while the controller runs. */
export type BusMasterDefects = z.output<typeof busMasterDefectsSchema>;

/** What is wrong with a disk. Plain data: a test changes it while the disk runs. */
export type Defects = z.output<typeof defectsSchema>;

/** One way in which a command goes wrong. */
export type CommandDefect = z.output<typeof commandDefectSchema>;

/** How a command with an injected error ends. */
export type InjectedFailure = z.output<typeof failSchema>;

/** Makes a defect of a command from what differs from a sound one. */
export function commandDefect(partial: z.input<typeof commandDefectSchema>): CommandDefect {
  return commandDefectSchema.parse(partial);
}

/** The defect that hits this command, if one does; counts it. */
export function takeDefect({ commands }: Defects, opcode: number): CommandDefect | undefined {
  for (const [index, defect] of commands.entries()) {
    if (defect.on !== undefined && !defect.on.includes(opcode)) continue;
    if (defect.skip-- > 0) continue;
    if (--defect.times <= 0) commands.splice(index, 1);
    return defect;
  }
  return undefined;
}
