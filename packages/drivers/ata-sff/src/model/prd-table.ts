import type { MemoryPort } from '@ring3/backend-sim/model';

const ENTRY_BYTES = 8;
const END_OF_TABLE = 0x8000_0000;
const REGION_BYTES = 0x1_0000;

/** The walk through one table of physical regions. SFF-8038i sections 1.2 and 1.3. */
export class PrdTable {
  readonly #memory: MemoryPort;
  readonly #violation: (what: string) => void;
  readonly #entry = new DataView(new ArrayBuffer(ENTRY_BYTES));
  #next: number;
  #address = 0;
  #left = 0;
  #last = false;
  #fetched = false;

  /** @param address where the table begins; a multiple of 4. */
  constructor(memory: MemoryPort, address: number, violation: (what: string) => void) {
    this.#memory = memory;
    this.#next = address;
    this.#violation = violation;
  }

  /** The last byte of the last region was used. */
  get exhausted(): boolean {
    return this.#last && this.#left === 0;
  }

  /** Where the transfer goes on. */
  get busAddress(): bigint {
    return BigInt(this.#address);
  }

  /** Bytes that follow without a break; fetches the next entry when there are none. `undefined` where no memory answers. */
  contiguousBytes(): number | undefined {
    if (this.#left === 0 && !this.#fetch()) return undefined;
    return Math.min(this.#left, REGION_BYTES - (this.#address % REGION_BYTES));
  }

  /** So many bytes were transferred. Only the low 16 bits count: a region that crosses 64 KiB starts over. */
  advance(lengthBytes: number): void {
    this.#left -= lengthBytes;
    this.#address = wrap(this.#address, lengthBytes);
  }

  #fetch(): boolean {
    if (this.#fetched && this.#next % REGION_BYTES === 0) {
      this.#violation('the table of regions crosses a boundary of 64 KiB');
    }
    if (!this.#memory.read(BigInt(this.#next), new Uint8Array(this.#entry.buffer))) return false;
    this.#fetched = true;
    this.#next = wrap(this.#next, ENTRY_BYTES);
    const address = this.#entry.getUint32(0, true);
    const count = this.#entry.getUint32(4, true);
    this.#last = (count & END_OF_TABLE) !== 0;
    this.#address = address - (address % 2);
    this.#left = count & 0xfffe || REGION_BYTES;
    this.#check(address, count);
    return true;
  }

  #check(address: number, count: number): void {
    if (address % 2 !== 0) this.#violation(`a region at the odd address 0x${address.toString(16)}`);
    if (count % 2 !== 0) this.#violation(`a region with the odd byte count 0x${(count & 0xffff).toString(16)}`);
    if ((this.#address % REGION_BYTES) + this.#left > REGION_BYTES) {
      this.#violation(`a region at 0x${address.toString(16)} crosses a boundary of 64 KiB`);
    }
  }
}

/** Counts in the low 16 bits, as the counters of the controller do. */
function wrap(address: number, lengthBytes: number): number {
  const low = address % REGION_BYTES;
  return address - low + ((low + lengthBytes) % REGION_BYTES);
}
