import type { Width } from './register-access.ts';

/** How the kernel mapped the memory, or what stands in its place. */
export type MemoryType =
  | 'uncached'
  | 'write-combining'
  | 'write-back'
  | 'device-nGnRnE'
  | 'device-nGnRE'
  | 'port'
  | 'simulated'
  | 'emulated';

/** What a space really is. */
export interface SpaceDescription {
  /** For messages: `ata0 command`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Where it is on its bus; absent where the backend does not know. */
  readonly start?: bigint;
  readonly memoryType: MemoryType;
  /** The access widths that the device takes; an 8-bit write to an AXI-Lite slave can destroy its neighbours. Default: all. */
  readonly widths?: readonly Width[];
  /** Default: little. */
  readonly byteOrder?: 'little' | 'big';
  /** A register that may be read at any time, for `RegisterSpace.flush`. */
  readonly flush?: { readonly offset: number; readonly width: Width };
}

/** The widths of a space that does not say. */
export const ALL_WIDTHS: readonly Width[] = [8, 16, 32];
