/** A command as it is written into the registers: all of it may be nonsense. */
export interface CommandStep {
  readonly kind: 'command';
  readonly opcode: number;
  readonly device: 0 | 1;
  /** Bit 6 of the Device register: LBA, or cylinder, head and sector. */
  readonly lbaMode: boolean;
  /** Features and count are 16 bits wide; with `wide` each register is written twice, the high byte first. */
  readonly wide: boolean;
  readonly features: number;
  readonly count: number;
  /** What the address registers hold: 28 bits (or cylinder, head, sector in their places), or 48. */
  readonly address: number;
  /** What is written, and what memory holds before a DMA command. */
  readonly seed: number;
  /** DMA: how the physical region table describes the memory. */
  readonly table: Table;
}

/** One region, several, more memory than the command needs, or less. */
export type Table = 'whole' | 'pieces' | 'longer' | 'shorter';

/** What a host may do with a channel. */
export type Step =
  | CommandStep
  /** One write of a parameter register: 1 to 6. */
  | { readonly kind: 'write'; readonly offset: number; readonly value: number }
  | { readonly kind: 'interrupts'; readonly on: boolean }
  | { readonly kind: 'reset' };

/** How a command moves data (ATA/ATAPI-6 section 9), as the host must know it. */
export type Protocol = 'none' | 'pio-in' | 'pio-out' | 'dma-in' | 'dma-out';

const PROTOCOLS: Readonly<Record<Exclude<Protocol, 'none'>, readonly number[]>> = {
  'pio-in': [0x20, 0x21, 0x24, 0x29, 0xc4, 0xec],
  'pio-out': [0x30, 0x31, 0x34, 0x39, 0xc5, 0xce],
  'dma-in': [0x25, 0xc8, 0xc9],
  'dma-out': [0x06, 0x35, 0x3d, 0xca, 0xcb],
};

export function protocolOf(opcode: number): Protocol {
  for (const protocol of ['pio-in', 'pio-out', 'dma-in', 'dma-out'] as const) {
    if (PROTOCOLS[protocol].includes(opcode)) return protocol;
  }
  return 'none';
}

/** Whether a DRQ block has as many sectors as SET MULTIPLE MODE said. */
export function movesMultiple(opcode: number): boolean {
  return [0x29, 0x39, 0xc4, 0xc5, 0xce].includes(opcode);
}

/** Commands that take 48-bit addresses. */
export function isWide(opcode: number): boolean {
  return [0x06, 0x24, 0x25, 0x27, 0x29, 0x34, 0x35, 0x37, 0x39, 0x3d, 0x42, 0xce, 0xea].includes(opcode);
}

/** Sectors that the command asks for: zero stands for the largest number. */
export function sectorsAsked({ opcode, count }: CommandStep): number {
  if (opcode === 0xec) return 1;
  return isWide(opcode) ? count || 65_536 : count & 0xff || 256;
}

/** Reads and writes, by the processor or by the bus master. */
export function movesSectors({ opcode }: CommandStep): boolean {
  return protocolOf(opcode) !== 'none' && opcode !== 0xec && opcode !== 0x06;
}
