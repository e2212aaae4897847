/** Which transfer mode was selected by SET FEATURES; PIO modes leave no trace in IDENTIFY. */
export interface DmaMode {
  readonly kind: 'multiword' | 'ultra';
  readonly number: number;
}

/** What SET FEATURES 03h asks for. */
export type TransferMode = DmaMode | 'pio' | 'unknown';

const MULTIWORD_MODES = 3;
const ULTRA_MODES = 7;

/** The mode that firmware selects: the highest that controllers of the time of ATA/ATAPI-6 have. */
export const FIRMWARE_MODE: DmaMode = { kind: 'ultra', number: 5 };

/** Decodes the Sector Count register: ATA/ATAPI-6 section 8.46, table 44. */
export function decodeTransferMode(value: number): TransferMode {
  const number = value & 0x07;
  if (value <= 0x01 || (value >= 0x08 && value <= 0x0c)) return 'pio';
  if (value >>> 3 === 4 && number < MULTIWORD_MODES) return { kind: 'multiword', number };
  if (value >>> 3 === 8 && number < ULTRA_MODES) return { kind: 'ultra', number };
  return 'unknown';
}

/** Word 63 or 88: the modes that are there, and in the upper byte the one that is selected. Section 8.15. */
export function modeWord(kind: DmaMode['kind'], selected: DmaMode | undefined): number {
  const supported = 2 ** (kind === 'ultra' ? ULTRA_MODES : MULTIWORD_MODES) - 1;
  return supported | (selected?.kind === kind ? 0x100 << selected.number : 0);
}
