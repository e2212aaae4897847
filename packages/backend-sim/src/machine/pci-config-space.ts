import type { PciIdentity, RegisterAccess, SpaceResource, Width } from '@ring3/core';

/** Offsets and bits of a type 0 header. Source: PCI Local Bus 3.0, sections 6.1 and 6.2. */
const HEADER = {
  vendorId: 0x00,
  deviceId: 0x02,
  command: 0x04,
  status: 0x06,
  revisionId: 0x08,
  programmingInterface: 0x09,
  classCode: 0x0a,
  cacheLineSize: 0x0c,
  latencyTimer: 0x0d,
  baseAddress0: 0x10,
  subsystemVendorId: 0x2c,
  subsystemId: 0x2e,
  interruptLine: 0x3c,
  interruptPin: 0x3d,
} as const;
const COMMAND_IO = 0x0001;
const COMMAND_MEMORY = 0x0002;
const COMMAND_BUS_MASTER = 0x0004;
const COMMAND_INTX_DISABLE = 0x0400;
const STATUS_INTERRUPT = 0x0008;
const BAR_IO = 0x1;
const BAR_MEMORY_64 = 0x4;
const SIZE_BYTES = 256;

/** What the configuration space is made of. */
export interface PciFunctionSetup {
  readonly identity: PciIdentity;
  readonly spaces: readonly SpaceResource[];
  /** 1 for INTA#, 0 when the function has no such pin. */
  readonly interruptPin: number;
  readonly interruptLine: number;
  /** Whether the function itself asserts its interrupt now. */
  readonly interruptPending: () => boolean;
  /** Called after a write: decoding or masking may have changed. */
  readonly changed: () => void;
}

/**
 * The configuration space of a simulated PCI function (header type 0): identity, base address registers that answer
 * sizing, command and status. Capabilities are not simulated. Firmware has been there: addresses are assigned and
 * decoded, bus mastering is off.
 */
export class PciConfigSpace implements RegisterAccess {
  readonly #bytes = new DataView(new ArrayBuffer(SIZE_BYTES));
  readonly #writable = new DataView(new ArrayBuffer(SIZE_BYTES));
  readonly #setup: PciFunctionSetup;

  constructor(setup: PciFunctionSetup) {
    this.#setup = setup;
    const { identity } = setup;
    const put16 = (offset: number, value: number) => this.#bytes.setUint16(offset, value, true);
    put16(HEADER.vendorId, identity.vendorId);
    put16(HEADER.deviceId, identity.deviceId);
    this.#bytes.setUint8(HEADER.revisionId, identity.revision);
    this.#bytes.setUint8(HEADER.programmingInterface, identity.classCode & 0xff);
    put16(HEADER.classCode, identity.classCode >>> 8);
    put16(HEADER.subsystemVendorId, identity.subsystemVendorId ?? 0);
    put16(HEADER.subsystemId, identity.subsystemId ?? 0);
    this.#bytes.setUint8(HEADER.interruptLine, setup.interruptLine);
    this.#bytes.setUint8(HEADER.interruptPin, setup.interruptPin);
    let command = 0;
    for (const space of setup.spaces) {
      command |= space.kind === 'port' ? COMMAND_IO : COMMAND_MEMORY;
      if (isRelocatable(identity, space)) this.#putBar(space.bar, space);
    }
    put16(HEADER.command, command);
    const writableCommand = command | COMMAND_BUS_MASTER | COMMAND_INTX_DISABLE;
    this.#writable.setUint16(HEADER.command, writableCommand, true);
    for (const offset of [HEADER.cacheLineSize, HEADER.latencyTimer, HEADER.interruptLine]) {
      this.#writable.setUint8(offset, 0xff);
    }
  }

  /** Whether accesses of this kind reach the function. */
  decodes(kind: 'memory' | 'port'): boolean {
    return (this.#command & (kind === 'port' ? COMMAND_IO : COMMAND_MEMORY)) !== 0;
  }

  get busMaster(): boolean {
    return (this.#command & COMMAND_BUS_MASTER) !== 0;
  }

  set busMaster(on: boolean) {
    const rest = this.#command & ~COMMAND_BUS_MASTER;
    this.write(HEADER.command, 16, on ? rest | COMMAND_BUS_MASTER : rest);
  }

  get intxDisabled(): boolean {
    return (this.#command & COMMAND_INTX_DISABLE) !== 0;
  }

  /** Where a space is decoded: what its base address register says, or where it is fixed. */
  base(space: SpaceResource): bigint {
    if (!isRelocatable(this.#setup.identity, space)) return space.start;
    const offset = HEADER.baseAddress0 + 4 * space.bar;
    const low = this.#bytes.getUint32(offset, true);
    if ((low & BAR_IO) !== 0) return BigInt((low & ~0x3) >>> 0);
    const high = (low & BAR_MEMORY_64) === 0 ? 0 : this.#bytes.getUint32(offset + 4, true);
    return (BigInt(high) << 32n) | BigInt((low & ~0xf) >>> 0);
  }

  read(offset: number, width: Width): number {
    const pending = this.#setup.interruptPending() ? STATUS_INTERRUPT : 0;
    this.#bytes.setUint16(HEADER.status, pending, true);
    if (width === 8) return this.#bytes.getUint8(offset);
    return width === 16 ? this.#bytes.getUint16(offset, true) : this.#bytes.getUint32(offset, true);
  }

  write(offset: number, width: Width, value: number): void {
    for (let byte = 0; byte < width / 8; byte++) {
      const mask = this.#writable.getUint8(offset + byte);
      const kept = this.#bytes.getUint8(offset + byte) & ~mask;
      this.#bytes.setUint8(offset + byte, kept | ((value >>> (8 * byte)) & mask));
    }
    this.#setup.changed();
  }

  get #command(): number {
    return this.#bytes.getUint16(HEADER.command, true);
  }

  /** Bits below the size are wired to zero: that is how software finds the size (section 6.2.5.1). */
  #putBar(bar: number, space: SpaceResource): void {
    const port = space.kind === 'port';
    const size = powerOfTwo(Math.max(space.sizeBytes, port ? 4 : 16));
    if (!Number.isInteger(bar) || bar < 0 || bar > 5) throw new RangeError(`BAR ${bar}: a function has BAR 0 to 5`);
    if (space.start % size !== 0n) {
      throw new RangeError(
        `BAR ${bar} cannot be at 0x${space.start.toString(16)}: it decodes ${size} bytes, so its start is a multiple of that`,
      );
    }
    const wide = space.start + size > 2n ** 32n;
    const kind = port ? BAR_IO : wide ? BAR_MEMORY_64 : 0;
    const offset = HEADER.baseAddress0 + 4 * bar;
    const mask = BigInt.asUintN(64, -size);
    this.#bytes.setUint32(offset, Number(space.start & 0xffff_ffffn) | kind, true);
    this.#writable.setUint32(offset, Number(mask & 0xffff_ffffn), true);
    if (!wide) return;
    this.#bytes.setUint32(offset + 4, Number(space.start >> 32n), true);
    this.#writable.setUint32(offset + 4, Number(mask >> 32n), true);
  }
}

/**
 * Whether a base address register holds the address. The channels of an IDE controller in compatibility mode have
 * fixed addresses, although they are called BAR 0 to 3 (PCI IDE Controller Specification 1.0, section 2.1).
 */
function isRelocatable(identity: PciIdentity, space: SpaceResource): space is SpaceResource & { readonly bar: number } {
  if (space.bar === undefined) return false;
  const nativeMode = space.bar < 2 ? 0x01 : 0x04;
  const isIde = identity.classCode >>> 8 === 0x0101;
  return !isIde || space.bar > 3 || (identity.classCode & nativeMode) !== 0;
}

function powerOfTwo(sizeBytes: number): bigint {
  return 2n ** BigInt(Math.ceil(Math.log2(sizeBytes)));
}
