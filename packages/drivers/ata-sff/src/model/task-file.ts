import { DEVICE, REGISTER, SIGNATURE } from './ata-registers.ts';
import { chsOf, type Geometry, lbaOf } from './chs-geometry.ts';

/** How a command names sectors. */
export type AddressForm = 'chs' | 'lba28' | 'lba48';

/**
 * The command block registers of one device. Features, Sector Count and the LBA registers are two deep for 48-bit
 * commands: a write pushes the old content to where reads with HOB set find it (ATA/ATAPI-6 section 6.20).
 */
export class TaskFile {
  /** The Error register; it shares its address with Features. */
  error = 0;
  readonly #current = new Uint8Array(8);
  readonly #previous = new Uint8Array(8);

  /** A write by the host to one of the registers 1 to 6. */
  write(offset: number, value: number): void {
    this.#previous[offset] = this.get(offset);
    this.#current[offset] = value;
  }

  /** A read by the host; `hob` asks for what was written before the last write. */
  read(offset: number, hob: boolean): number {
    if (offset === REGISTER.error) return this.error;
    if (offset === REGISTER.device || !hob) return this.get(offset);
    return this.#previous[offset] ?? 0;
  }

  /** What was written last: the parameter of the command. */
  get(offset: number): number {
    return this.#current[offset] ?? 0;
  }

  /** Changes a register from inside the device. */
  set(offset: number, value: number): void {
    this.#current[offset] = value;
  }

  /** Bit 6 of the Device register: LBA, or cylinder, head and sector. */
  get addressForm(): 'chs' | 'lba28' {
    return (this.get(REGISTER.device) & DEVICE.lba) === 0 ? 'chs' : 'lba28';
  }

  /** How many sectors a command asks for: 0 stands for the largest number. */
  sectorCount(form: AddressForm): number {
    const low = this.get(REGISTER.sectorCount);
    if (form !== 'lba48') return low || 256;
    return ((this.#previous[REGISTER.sectorCount] ?? 0) << 8) | low || 65_536;
  }

  /** The first sector of a command; `undefined` for a cylinder, head or sector that the translation does not have. */
  address(form: AddressForm, geometry: Geometry): number | undefined {
    const low24 = this.#low24(this.#current);
    const top4 = this.get(REGISTER.device) & DEVICE.address;
    if (form === 'lba48') return this.#low24(this.#previous) * 0x100_0000 + low24;
    if (form === 'lba28') return top4 * 0x100_0000 + low24;
    return lbaOf({ cylinder: low24 >>> 8, head: top4, sector: low24 & 0xff }, geometry);
  }

  /** Puts an address where the host finds it after the command. */
  putAddress(lba: number, form: AddressForm, geometry: Geometry): void {
    if (form === 'chs') {
      const { cylinder, head, sector } = chsOf(lba, geometry);
      this.#putLow24(this.#current, cylinder * 0x100 + sector);
      this.#putTop4(head);
      return;
    }
    this.#putLow24(this.#current, lba % 0x100_0000);
    const high = Math.floor(lba / 0x100_0000);
    if (form === 'lba48') this.#putLow24(this.#previous, high);
    else this.#putTop4(high);
  }

  /** Bit 4 of the Device register, in its place. */
  get deviceSelection(): number {
    return this.get(REGISTER.device) & DEVICE.dev;
  }

  /** What every reset leaves: the signature of the type of device (section 9.12). */
  putSignature(kind: 'ata' | 'packet', deviceSelection: number): void {
    this.#previous.fill(0);
    this.#current.fill(0);
    this.set(REGISTER.device, deviceSelection);
    const signature = SIGNATURE[kind];
    this.set(REGISTER.sectorCount, signature.sectorCount);
    this.set(REGISTER.lbaLow, signature.lbaLow);
    this.putTypeOfDevice(kind);
  }

  /** The part of the signature that an aborted command of the wrong kind leaves too (sections 8.15.5.2, 8.34.5.2). */
  putTypeOfDevice(kind: 'ata' | 'packet'): void {
    this.set(REGISTER.lbaMid, SIGNATURE[kind].lbaMid);
    this.set(REGISTER.lbaHigh, SIGNATURE[kind].lbaHigh);
  }

  #low24(registers: Uint8Array): number {
    const at = (offset: number) => registers[offset] ?? 0;
    return (at(REGISTER.lbaHigh) << 16) | (at(REGISTER.lbaMid) << 8) | at(REGISTER.lbaLow);
  }

  #putLow24(registers: Uint8Array, value: number): void {
    registers[REGISTER.lbaLow] = value & 0xff;
    registers[REGISTER.lbaMid] = (value >>> 8) & 0xff;
    registers[REGISTER.lbaHigh] = (value >>> 16) & 0xff;
  }

  #putTop4(value: number): void {
    this.set(REGISTER.device, (this.get(REGISTER.device) & ~DEVICE.address) | (value & DEVICE.address));
  }
}
