/** Pure: which command does a read or a write, and where one that failed has failed. */
import { type Command, isDma, isTrim } from './commands.ts';
import { ERROR, LBA28_END, LBA28_MAX_SECTORS, LBA48_MAX_SECTORS, OPCODE } from './registers.ts';

/** What is to be transferred, and what the device can do. */
export interface TransferRequest {
  readonly operation: 'read' | 'write' | 'write-fua';
  readonly lba: number;
  readonly sectors: number;
  readonly sectorBytes: number;
  /** By bus master; by programmed I/O otherwise. */
  readonly dma?: boolean;
  /** Sectors of a DRQ block as SET MULTIPLE MODE set it; 0 for the plain commands. Means nothing for DMA. */
  readonly multiple: number;
  readonly lba48: boolean;
  readonly timeoutUs: number;
}

/** The most sectors of one command. */
export function maxSectors(lba48: boolean): number {
  return lba48 ? LBA48_MAX_SECTORS : LBA28_MAX_SECTORS;
}

/**
 * The command for a transfer: 28 bits where they reach, 48 bits otherwise, never wrapping at 2^28.
 * @throws RangeError for what no command of this device reaches.
 */
export function transferCommand(request: TransferRequest): Command {
  const { operation, lba, sectors, sectorBytes, multiple, lba48, timeoutUs, dma = false } = request;
  const fits28 = operation !== 'write-fua' && lba + sectors <= LBA28_END && sectors <= LBA28_MAX_SECTORS;
  if (!fits28 && !(lba48 && sectors <= LBA48_MAX_SECTORS && lba + sectors <= 2 ** 48)) {
    throw new RangeError(`${sectors} sectors at ${lba}: no command of this device reaches them`);
  }
  const kind = dma ? 'DMA' : multiple > 0 || operation === 'write-fua' ? 'MULTIPLE' : 'SECTORS';
  const { name, opcode } = transferOpcode(operation, kind, !fits28);
  return {
    name,
    opcode,
    protocol: `${dma ? 'dma' : 'pio'}-${operation === 'read' ? 'in' : 'out'}`,
    drqBlockBytes: Math.max(multiple, 1) * sectorBytes,
    features: 0,
    count: sectors,
    lba,
    addressing: fits28 ? 'lba28' : 'lba48',
    timeoutUs,
  };
}

type Kind = 'SECTORS' | 'MULTIPLE' | 'DMA';

/** 28 bits, 48 bits. */
const TRANSFER_OPCODES = {
  read: {
    SECTORS: [OPCODE.READ_SECTORS, OPCODE.READ_SECTORS_EXT],
    MULTIPLE: [OPCODE.READ_MULTIPLE, OPCODE.READ_MULTIPLE_EXT],
    DMA: [OPCODE.READ_DMA, OPCODE.READ_DMA_EXT],
  },
  write: {
    SECTORS: [OPCODE.WRITE_SECTORS, OPCODE.WRITE_SECTORS_EXT],
    MULTIPLE: [OPCODE.WRITE_MULTIPLE, OPCODE.WRITE_MULTIPLE_EXT],
    DMA: [OPCODE.WRITE_DMA, OPCODE.WRITE_DMA_EXT],
  },
} as const satisfies Record<'read' | 'write', Record<Kind, readonly [number, number]>>;

function transferOpcode(
  operation: TransferRequest['operation'],
  kind: Kind,
  ext: boolean,
): { name: string; opcode: number } {
  if (operation === 'write-fua') {
    const opcode = kind === 'DMA' ? OPCODE.WRITE_DMA_FUA_EXT : OPCODE.WRITE_MULTIPLE_FUA_EXT;
    return { name: `WRITE ${kind} FUA EXT`, opcode };
  }
  const name = `${operation === 'read' ? 'READ' : 'WRITE'} ${kind}${ext ? ' EXT' : ''}`;
  return { name, opcode: TRANSFER_OPCODES[operation][kind][ext ? 1 : 0] };
}

/** Whether a command writes with force unit access. */
export function isFua({ opcode }: Command): boolean {
  return opcode === OPCODE.WRITE_DMA_FUA_EXT || opcode === OPCODE.WRITE_MULTIPLE_FUA_EXT;
}

/** Whether a command needs a multiple mode. */
export function isMultiple({ opcode }: Command): boolean {
  const codes: readonly number[] = [...TRANSFER_OPCODES.read.MULTIPLE, ...TRANSFER_OPCODES.write.MULTIPLE];
  return codes.includes(opcode);
}

/**
 * The first bad sector of a transfer that the device refused: the address it names, if that is part of the transfer;
 * otherwise the one that was on its way, which is exact for the commands without MULTIPLE.
 */
export function failingSector(
  command: Command,
  failure: { readonly error: number; readonly lba: number | undefined; readonly bytesDone: number },
  sectorBytes: number,
): number | undefined {
  const { protocol, lba, count } = command;
  if (protocol === 'non-data' || isTrim(command)) return undefined;
  const named = (failure.error & (ERROR.UNC | ERROR.IDNF)) !== 0 ? failure.lba : undefined;
  if (named !== undefined && named >= lba && named < lba + count) return named;
  // How far a bus master came is not known.
  if (isDma(command)) return undefined;
  const sectorsDone = Math.floor(failure.bytesDone / sectorBytes);
  const current = protocol === 'pio-in' ? sectorsDone : Math.max(sectorsDone - 1, 0);
  return lba + Math.min(current, count - 1);
}
