import type { BlockDevice, BlockDeviceInfo } from '@ring3/core';
import { ByteAccess } from './byte-access.ts';
import type { ExportFacts } from './handshake-messages.ts';
import { MAX_STRING_BYTES, TRANSMISSION_FLAG } from './protocol.ts';
import { RangeCommands } from './range-commands.ts';

/** Kinds of failures that are told apart in the log. */
const MAX_KINDS = 32;

/** How a block device is offered. */
export interface ExportOptions {
  /** Refuses writes; a device that is read-only itself is exported so in any case. */
  readonly readOnly?: boolean;
  /** What clients show to people; without it the device's model and serial number. */
  readonly description?: string;
}

/** What has been done for the clients of one export since it was made. */
export interface ExportStatistics {
  readonly reads: number;
  readonly writes: number;
  readonly flushes: number;
  /** WRITE_ZEROES. */
  readonly zeroes: number;
  readonly trims: number;
  readonly bytesRead: number;
  /** Without those of WRITE_ZEROES. */
  readonly bytesWritten: number;
  readonly bytesZeroed: number;
  /** As they were asked for, partial blocks included. */
  readonly bytesTrimmed: number;
  /** Requests that were answered with an error, whoever was at fault. */
  readonly errors: number;
}

/** A block device under a name, with everything that its clients share. */
export class ExportedDisk {
  readonly name: string;
  readonly access: ByteAccess;
  readonly ranges: RangeCommands;
  readonly facts: ExportFacts;
  readonly readOnly: boolean;
  readonly count = {
    reads: 0,
    writes: 0,
    flushes: 0,
    zeroes: 0,
    trims: 0,
    bytesRead: 0,
    bytesWritten: 0,
    bytesZeroed: 0,
    bytesTrimmed: 0,
    errors: 0,
  };
  /** Why it is not served any more, once that is so. */
  withdrawn: string | undefined;

  readonly #info: BlockDeviceInfo;
  readonly #seen = new Set<string>();

  /** @throws RangeError for a name that the protocol cannot carry and for a device without blocks. */
  constructor(name: string, device: BlockDevice, options: ExportOptions) {
    checkName(name);
    const { info } = device;
    this.name = name;
    this.#info = { ...info };
    this.access = new ByteAccess(device);
    this.ranges = new RangeCommands(this.access);
    this.readOnly = options.readOnly === true || info.readOnly;
    this.facts = {
      name,
      description: describe(device, options.description),
      sizeBytes: this.access.sizeBytes,
      preferredBlockBytes: preferredBlockBytes(info.blockSizeBytes),
    };
  }

  /** In which way the device is another one than clients were told, in words; undefined while it is not. */
  get change(): string | undefined {
    const { info } = this.access.device;
    const { serial, blockCount, blockSizeBytes } = this.#info;
    if (info.blockCount === blockCount && info.blockSizeBytes === blockSizeBytes && info.serial === serial) {
      return undefined;
    }
    return `the disk has changed: it had ${inWords(this.#info)}, and has ${inWords(info)}`;
  }

  /** Whether a failure of this kind has not been seen before; keeps a broken disk from filling the log. */
  isNews(kind: string): boolean {
    if (this.#seen.has(kind) || this.#seen.size >= MAX_KINDS) return false;
    this.#seen.add(kind);
    return true;
  }

  /**
   * Section "Transmission flags". FLUSH and FUA are what every block device can do. Several connections are no danger:
   * all of them use the one device, nothing is cached in between, and its flush covers every acknowledged write.
   */
  transmissionFlags(structuredReplies: boolean): number {
    const { hasFlags, sendFlush, sendFua, canMultiConn, sendCache, sendDf } = TRANSMISSION_FLAG;
    const always = hasFlags | sendFlush | sendFua | canMultiConn | sendCache;
    return always | this.#writeFlags() | (structuredReplies ? sendDf : 0);
  }

  #writeFlags(): number {
    const { readOnly, sendWriteZeroes, sendFastZero, sendTrim } = TRANSMISSION_FLAG;
    if (this.readOnly) return readOnly;
    return sendWriteZeroes | sendFastZero | (this.ranges.canTrim ? sendTrim : 0);
  }
}

function checkName(name: string): void {
  const lengthBytes = Buffer.byteLength(name, 'utf8');
  if (lengthBytes === 0) throw new RangeError('an export needs a name; the first one is the default export as well');
  if (lengthBytes > MAX_STRING_BYTES || name.includes('\0')) {
    throw new RangeError(
      `an export's name has at most ${MAX_STRING_BYTES} bytes and no NUL; this one has ${lengthBytes}`,
    );
  }
}

function inWords({ serial, blockCount, blockSizeBytes }: BlockDeviceInfo): string {
  return `${blockCount} blocks of ${blockSizeBytes}, serial ${JSON.stringify(serial)}`;
}

/** A simulated disk says so wherever it is shown. */
function describe({ info }: BlockDevice, description = [info.model, info.serial].filter(Boolean).join(' ')): string {
  const isSaid = !info.simulated || description.includes('(simulated)');
  return isSaid ? description : `${description} (simulated)`.trimStart();
}

/** Section "Size constraints": a power of two, 4096 or the block of the device if that is larger. */
function preferredBlockBytes(blockSizeBytes: number): number {
  let preferred = 4096;
  while (preferred < blockSizeBytes) preferred *= 2;
  return preferred;
}
