import type { BusKind, BusWrite } from '../qtest/bus.ts';

/** How PCI configuration space is reached. Source: PCI Local Bus 3.0, section 3.2.2.3.2, for the ports. */
export type PciConfigAccess =
  | { readonly kind: 'ports'; readonly address: bigint; readonly data: bigint }
  /** In memory: devices and functions at these bits of the address. */
  | { readonly kind: 'memory'; readonly base: bigint; readonly deviceShift: number; readonly functionShift: number };

/** A range of bus addresses that firmware may hand out, and where the processor finds bus address 0. */
export interface AddressWindow {
  readonly first: bigint;
  readonly last: bigint;
  readonly cpuBus: BusKind;
  readonly cpuBase: bigint;
}

/** The PCI bus of a board, as its manual has it. */
export interface PciBoard {
  readonly config: PciConfigAccess;
  readonly ports: AddressWindow;
  readonly memory: AddressWindow;
  /** Which line of the interrupt controller a pin (1 is INTA#) of a device (slot) reaches. */
  readonly intxLine: (device: number, pin: number) => number;
  /** How people call the line: `IRQ 10`. */
  readonly lineName: (line: number) => string;
  /** What firmware sets in configuration space beyond base address registers. */
  readonly config32: readonly {
    readonly device: number;
    readonly function: number;
    readonly offset: number;
    readonly value: number;
  }[];
}

/** How interrupts are seen. */
export type InterruptView =
  /** QEMU tells every change at the inputs of an interrupt controller: of the object at this path or of this type. */
  | { readonly kind: 'intercepted'; readonly path: string }
  | {
      readonly kind: 'intercepted';
      readonly type: RegExp;
      /** The controller's registers of 32 bits each that show which of its inputs are asserted, the first bit for input 0. */
      readonly assertedBits: bigint;
    }
  /** A register of 64 bits has a bit for each line, 1 while it is asserted. */
  | { readonly kind: 'pending-register'; readonly address: bigint };

/** A device that is part of the board and no PCI function. */
export interface BoardDevice {
  readonly compatible: readonly string[];
  readonly spaces: readonly { readonly name: string; readonly start: bigint; readonly sizeBytes: number }[];
  readonly interrupts: readonly { readonly name: string; readonly line: number; readonly called: string }[];
  /** It transfers data to memory by itself. */
  readonly dma?: boolean;
}

/** Memory that devices reach. */
export interface DmaWindow {
  /** Where it begins in guest memory. */
  readonly ramOffset: number;
  /** The bus address of its first byte. */
  readonly busAddress: bigint;
}

/** A machine of QEMU, without the devices that a configuration adds: what firmware and a board's manual know. */
export interface Board {
  readonly name: string;
  readonly program: string;
  /** The Debian package that has the program. */
  readonly debianPackage: string;
  /** The value of `-machine`, without its memory. */
  readonly machine: string;
  readonly ramBytes: number;
  /** More of the command line. `@rom` stands for the path of {@link rom}. */
  readonly arguments: readonly string[];
  /** What the processor runs: nothing, so that it sleeps while the clock goes on. */
  readonly rom?: () => Uint8Array;
  /** What firmware does before it looks for devices. */
  readonly setUp: readonly BusWrite[];
  readonly interrupts: InterruptView;
  readonly pci?: PciBoard;
  /** PCI functions that are part of the board, by the name that a configuration selects them with: device and function. */
  readonly functions: Readonly<Record<string, { readonly device: number; readonly function: number }>>;
  readonly devices: Readonly<Record<string, BoardDevice>>;
  readonly dma?: DmaWindow;
}
