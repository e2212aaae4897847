import { setImmediate as othersTurn } from 'node:timers/promises';
import { type BlockDevice, DeviceError } from '@ring3/core';
import type { ByteAccess } from './byte-access.ts';
import { cutRange } from './cut-range.ts';
import { runBounded } from './run-bounded.ts';

/** About the most that one device call writes of zeros. */
const ZERO_PIECE_BYTES = 2 ** 18;
/** About the most that one device call trims: the device is free for others in between. */
const TRIM_PIECE_BYTES = 2 ** 27;
/** Device calls that a WRITE_ZEROES of many pieces has under way. */
const ZERO_PIECES_AT_ONCE = 2;

/** A range of bytes, and how it is to be dealt with. */
export interface RangeOrder {
  readonly offset: number;
  readonly lengthBytes: number;
  /** Whether the effect must be on stable storage at the end. */
  readonly fua: boolean;
  /** Why nobody wants the rest any more, once that is so; asked between pieces. */
  readonly stopped: () => string | undefined;
}

/**
 * The commands that name a range and carry no data: 28 bytes ask for up to 4 GiB of work. They are done piece by piece,
 * hold no memory of their own, take no lock for longer than a piece, and stop when nobody waits for them. A device that
 * answers at once keeps nobody waiting either: the event loop turns between two pieces.
 */
export class RangeCommands {
  readonly #access: ByteAccess;
  readonly #device: BlockDevice;
  readonly #zeroBytes: number;
  readonly #trimBytes: number;
  /** Written again and again; a device leaves what it writes alone. */
  #zeros: Uint8Array | undefined;

  constructor(access: ByteAccess) {
    const { blockSizeBytes, maxTransferBlocks } = access.device.info;
    this.#access = access;
    this.#device = access.device;
    this.#zeroBytes = wholeBlocks(Math.min(ZERO_PIECE_BYTES, blockSizeBytes * maxTransferBlocks), blockSizeBytes);
    this.#trimBytes = wholeBlocks(TRIM_PIECE_BYTES, blockSizeBytes);
  }

  /** Whether {@link zero} takes no longer than a write does. */
  isShortZero({ offset, lengthBytes }: { readonly offset: number; readonly lengthBytes: number }): boolean {
    return cutRange(offset, lengthBytes, this.#zeroBytes).count === 1;
  }

  /** Whether the device knows trim. */
  get canTrim(): boolean {
    return this.#device.info.trim === true && this.#device.trim !== undefined;
  }

  /** Makes the bytes zero; partial blocks are read, changed and written. */
  async zero({ offset, lengthBytes, fua, stopped }: RangeOrder): Promise<void> {
    this.#zeros ??= new Uint8Array(this.#zeroBytes);
    const zeros = this.#zeros;
    const { count, piece } = cutRange(offset, lengthBytes, this.#zeroBytes);
    await runBounded(count, ZERO_PIECES_AT_ONCE, async (index) => {
      if (index > 0) await othersTurn();
      throwIfStopped(stopped);
      const { offset: from, lengthBytes: length } = piece(index);
      await this.#access.write(from, zeros.subarray(0, length), fua && count === 1);
    });
    // One flush costs less than FUA for each of many pieces.
    if (fua && count > 1) await this.#device.flush();
  }

  /** Trims the whole blocks among the bytes: those of which a byte is still wanted stay as they are. */
  async trim({ offset, lengthBytes, fua, stopped }: RangeOrder): Promise<void> {
    const { blockSizeBytes, volatileCache } = this.#device.info;
    const start = Math.ceil(offset / blockSizeBytes) * blockSizeBytes;
    const end = Math.floor((offset + lengthBytes) / blockSizeBytes) * blockSizeBytes;
    if (end <= start) return;
    const { count, piece } = cutRange(start, end - start, this.#trimBytes);
    for (let index = 0; index < count; index += 1) {
      if (index > 0) await othersTurn();
      throwIfStopped(stopped);
      const { offset: from, lengthBytes: length } = piece(index);
      await this.#device.trim?.(from / blockSizeBytes, length / blockSizeBytes);
    }
    if (fua && volatileCache) await this.#device.flush();
  }
}

function wholeBlocks(lengthBytes: number, blockSizeBytes: number): number {
  return Math.max(1, Math.floor(lengthBytes / blockSizeBytes)) * blockSizeBytes;
}

function throwIfStopped(stopped: () => string | undefined): void {
  const reason = stopped();
  if (reason !== undefined) throw new DeviceError('closed', reason);
}
