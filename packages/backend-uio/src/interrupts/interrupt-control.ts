import { DeviceError } from '@ring3/core';
import { deviceErrorOf, errnoOf } from '@ring3/linux';
import type { PciConfigSpace } from '../pci-config-space.ts';
import type { UioEvents } from './uio-events.ts';

/** How the line of a device is masked. */
export interface InterruptControl {
  /** Whether anything can be masked at all. */
  readonly masks: boolean;
  /** @throws DeviceError `permission`, `gone`. */
  set(on: boolean): void;
}

/** The command register, and Interrupt Disable in it. Source: PCI Local Bus 3.0, section 6.2.2. */
const COMMAND = 0x04;
const INTERRUPT_DISABLE = 0x0400;

/**
 * Finds out at its first use how the line is masked: by the kernel driver (`irqcontrol`), or where that has nothing, by
 * the command register, as uio_pci_generic asks for.
 * @param what the device, for messages.
 */
export class AutomaticControl implements InterruptControl {
  readonly #what: string;
  readonly #events: UioEvents;
  readonly #config: PciConfigSpace | undefined;
  #found: InterruptControl | undefined;

  constructor(what: string, events: UioEvents, config: PciConfigSpace | undefined) {
    this.#what = what;
    this.#events = events;
    this.#config = config;
  }

  get masks(): boolean {
    return this.#found?.masks ?? true;
  }

  set(on: boolean): void {
    if (this.#found !== undefined) {
      this.#found.set(on);
      return;
    }
    const byDriver = new DriverControl(this.#what, this.#events);
    try {
      byDriver.set(on);
      this.#found = byDriver;
    } catch (error) {
      if (!(error instanceof DeviceError) || error.code !== 'unsupported') throw error;
      this.#found = this.#config === undefined ? NOTHING : new CommandRegister(this.#config);
      this.#found.set(on);
    }
  }
}

class DriverControl implements InterruptControl {
  readonly masks = true;
  readonly #what: string;
  readonly #events: UioEvents;

  constructor(what: string, events: UioEvents) {
    this.#what = what;
    this.#events = events;
  }

  set(on: boolean): void {
    try {
      this.#events.control(on);
    } catch (error) {
      // A node whose device was unregistered refuses the write with EINVAL.
      const code = errnoOf(error) === 'EINVAL' ? 'gone' : undefined;
      const told = deviceErrorOf(error, `${this.#what}: ${on ? 'unmasking' : 'masking'} the interrupt`);
      throw code === undefined ? told : new DeviceError(code, told.message, { cause: error });
    }
  }
}

/**
 * Clears and sets Interrupt Disable; the kernel sets it at every interrupt. The whole register is written: QEMU 7.2
 * loses a line whose Interrupt Disable changes by a write of the high byte alone, which uio-howto.rst shows.
 */
class CommandRegister implements InterruptControl {
  readonly masks = true;
  readonly #config: PciConfigSpace;

  constructor(config: PciConfigSpace) {
    this.#config = config;
  }

  set(on: boolean): void {
    // Read anew each time: Bus Master in the same register is cleared by the kernel when anybody closes the node.
    const command = this.#config.read16(COMMAND);
    this.#config.write16(COMMAND, on ? command & ~INTERRUPT_DISABLE : command | INTERRUPT_DISABLE);
  }
}

const NOTHING: InterruptControl = { masks: false, set: () => {} };
