import { STATUS } from './ata-registers.ts';
import type { Defects } from './defects.ts';

/**
 * The Status register as the host sees it: BSY appears with the delay that the standard grants, and the other bits
 * mean nothing beside it (ATA/ATAPI-6 sections 7.15 and 9).
 */
export class StatusRegister {
  readonly #defects: Defects;
  readonly #nowUs: () => number;
  readonly #settleUs: number;
  #value: number = STATUS.bsy;
  #staleValue = 0;
  #staleUntilUs = 0;
  #staleReads = 0;

  constructor(defects: Defects, settleUs: number, nowUs: () => number) {
    this.#defects = defects;
    this.#settleUs = settleUs;
    this.#nowUs = nowUs;
  }

  /** The bits as they are. */
  get value(): number {
    return this.#value;
  }

  /** BSY or DRQ: the host may only read the status or move data. */
  get occupied(): boolean {
    return (this.#value & (STATUS.bsy | STATUS.drq)) !== 0;
  }

  get busy(): boolean {
    return (this.#value & STATUS.bsy) !== 0;
  }

  /** Changes the bits, at once visible. */
  set(value: number): void {
    this.#value = value;
    this.#staleReads = 0;
  }

  /** BSY after a command was written: for a moment, every read may show the old status. */
  setBusyForCommand(): void {
    this.#setBusy(Number.POSITIVE_INFINITY);
  }

  /** BSY after a data block: one read may show the old status, which is why hosts read Alternate Status and forget it. */
  setBusyAfterBlock(): void {
    this.#setBusy(1);
  }

  /** What the host reads. */
  read(): number {
    if (this.#defects.stuckStatus !== undefined) return this.#defects.stuckStatus;
    if (!this.busy) return this.#value;
    if (this.#staleReads > 0 && this.#nowUs() < this.#staleUntilUs) {
      this.#staleReads--;
      return this.#staleValue;
    }
    return this.#value | this.#defects.statusBitsWhileBusy;
  }

  #setBusy(staleReads: number): void {
    this.#staleValue = this.#value;
    this.#staleReads = staleReads;
    this.#staleUntilUs = this.#nowUs() + this.#settleUs;
    this.#value = STATUS.bsy;
  }
}
