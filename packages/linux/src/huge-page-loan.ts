import { type DmaAllocator, type DmaLoan, isDeviceError, type Logger } from '@ring3/core';
import { type HugePages, openHugePages } from './huge-pages.ts';
import type { LinuxRoots } from './roots.ts';

/** What {@link HugePageLoan} works with. */
export interface HugePageLoanOptions {
  /** The device, for messages. */
  readonly id: string;
  readonly sizeBytes: number;
  readonly roots: LinuxRoots;
  readonly log: Logger;
  /** Why the device cannot have it, looked at before anything is taken. @throws DeviceError `unsupported`, `permission`. */
  readonly check: () => void;
  /**
   * Lets the device master the bus, or ends that: also after it could be done in part only. @throws what keeps it from that;
   * DeviceError `gone` where the device has left the bus.
   */
  readonly setBusMaster: (on: boolean) => void;
  /** Who can stop its transfers, where that is to be said. */
  readonly note?: string;
  /** Default: {@link openHugePages}. */
  readonly take?: typeof openHugePages;
}

/** Huge pages in the hands of one device: taken when they are first asked for, with the right to master the bus. */
export class HugePageLoan {
  readonly #options: HugePageLoanOptions;
  #open: { readonly pages: HugePages; readonly loan: DmaLoan } | undefined;

  constructor(options: HugePageLoanOptions) {
    this.#options = options;
  }

  /** @throws DeviceError `unsupported`, `permission`: in words, and nothing is taken. */
  open(): DmaAllocator {
    if (this.#open !== undefined) return this.#open.loan;
    const { id, sizeBytes, roots, log, check, setBusMaster, note, take = openHugePages } = this.#options;
    check();
    const pages = take(sizeBytes, roots);
    this.#open = { pages, loan: pages.pool.lend() };
    try {
      setBusMaster(true);
    } catch (error) {
      this.close();
      throw error;
    }
    log.warn(
      `${id}: transfers to physical addresses, for lab use${note === undefined ? '' : ` (${note})`}: no IOMMU keeps the device, or a wrong address, from the memory of the whole machine`,
    );
    return this.#open.loan;
  }

  /** Ends bus mastering, then gives the memory back; keeps it where the device may still write to it. */
  close(): void {
    if (this.#open === undefined) return;
    const { pages, loan } = this.#open;
    this.#open = undefined;
    loan.close();
    if (this.#isOffTheBus()) pages.close();
  }

  #isOffTheBus(): boolean {
    const { id, log, setBusMaster } = this.#options;
    try {
      setBusMaster(false);
      return true;
    } catch (error) {
      if (isDeviceError(error, 'gone')) return true;
      log.error(
        `${id}: bus mastering could not be ended, so its memory is kept until the process ends: ${String(error)}`,
      );
      return false;
    }
  }
}
