import { DeviceError } from './device-error.ts';
import { at, RegisterSpace } from './register-space.ts';

/** Registers in memory: adds 64-bit accesses and block copies. */
export class MemoryRegion extends RegisterSpace {
  readonly kind = 'memory';

  /** @throws DeviceError `unsupported` where the bus cannot do it in one access. */
  read64(offset: number): bigint {
    this.checkRange(offset, 8, 8);
    const { access } = this;
    if (access.read64 === undefined) throw this.#no64();
    return access.read64(offset);
  }

  /** @throws DeviceError `unsupported` where the bus cannot do it in one access. */
  write64(offset: number, value: bigint): void {
    this.checkRange(offset, 8, 8);
    const { access } = this;
    if (access.write64 === undefined) throw this.#no64();
    if (BigInt.asUintN(64, value) !== value) {
      throw new RangeError(`${this.description.name}: ${value} does not fit 64 bits at ${at(offset)}`);
    }
    access.write64(offset, value);
  }

  /** Copies memory of the device into `into`, by 32-bit accesses; offset and length are multiples of 4. Not for FIFOs. */
  readBlock(offset: number, into: Uint8Array): void {
    this.#checkBlock(offset, into.length);
    const { access } = this;
    if (access.readBlock !== undefined) {
      access.readBlock(offset, into);
      return;
    }
    for (let done = 0; done < into.length; done += 4) this.readFifo32(offset + done, into.subarray(done, done + 4));
  }

  /** Copies `from` into memory of the device: the counterpart of {@link readBlock}. */
  writeBlock(offset: number, from: Uint8Array): void {
    this.#checkBlock(offset, from.length);
    const { access } = this;
    if (access.writeBlock !== undefined) {
      access.writeBlock(offset, from);
      return;
    }
    for (let done = 0; done < from.length; done += 4) this.writeFifo32(offset + done, from.subarray(done, done + 4));
  }

  #checkBlock(offset: number, lengthBytes: number): void {
    this.checkRange(offset, lengthBytes, 4);
    this.checkWidth(offset, 32);
    if (lengthBytes % 4 !== 0) {
      throw new RangeError(
        `${this.description.name}: ${lengthBytes} bytes at ${at(offset)} are not whole 32-bit words`,
      );
    }
  }

  #no64(): DeviceError {
    return new DeviceError(
      'unsupported',
      `${this.description.name}: this bus has no 64-bit access; two 32-bit accesses are not the same, so ask for them by name`,
    );
  }
}

/** The x86 kind of registers: `in`, `out`, `ins`, `outs`. */
export class IoPortSpace extends RegisterSpace {
  readonly kind = 'port';
}
