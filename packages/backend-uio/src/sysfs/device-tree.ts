import { dirname, join } from 'node:path';
import { readBytes, realPath } from './text.ts';

/** One pair of `reg`. The address is one of the parent bus, which `ranges` may translate. */
export interface RegEntry {
  readonly address: bigint;
  readonly sizeBytes: number;
}

/** What the device tree says of a device. */
export interface DeviceTreeNode {
  /** The most specific first. */
  readonly compatible: readonly string[];
  readonly reg: readonly RegEntry[];
  readonly hasInterrupts: boolean;
}

/** Defaults of the Devicetree Specification 0.4, section 2.3.5. */
const DEFAULT_ADDRESS_CELLS = 2;
const DEFAULT_SIZE_CELLS = 1;

/** The node of a device; `undefined` where it has none. */
export function readDeviceTreeNode(deviceFolder: string): DeviceTreeNode | undefined {
  const folder = realPath(join(deviceFolder, 'of_node'));
  if (folder === undefined) return undefined;
  const cells = (name: string, otherwise: number) => readCell(join(dirname(folder), name)) ?? otherwise;
  return {
    compatible: parseStrings(readBytes(join(folder, 'compatible')) ?? new Uint8Array(0)),
    reg: parseReg(
      readBytes(join(folder, 'reg')) ?? new Uint8Array(0),
      cells('#address-cells', DEFAULT_ADDRESS_CELLS),
      cells('#size-cells', DEFAULT_SIZE_CELLS),
    ),
    hasInterrupts: ['interrupts', 'interrupts-extended'].some((name) => readBytes(join(folder, name)) !== undefined),
  };
}

/** A list of strings, each ended by a NUL. */
export function parseStrings(bytes: Uint8Array): string[] {
  return Buffer.from(bytes)
    .toString('latin1')
    .split('\0')
    .filter((text) => text !== '');
}

/** Pairs of address and size, in big-endian cells of 32 bits. What is left over at the end is ignored. */
export function parseReg(bytes: Uint8Array, addressCells: number, sizeCells: number): RegEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stepBytes = 4 * (addressCells + sizeCells);
  const entries: RegEntry[] = [];
  if (stepBytes === 0) return entries;
  for (let at = 0; at + stepBytes <= bytes.length; at += stepBytes) {
    const address = readNumber(view, at, addressCells);
    entries.push({ address, sizeBytes: Number(readNumber(view, at + 4 * addressCells, sizeCells)) });
  }
  return entries;
}

function readNumber(view: DataView, at: number, cells: number): bigint {
  let value = 0n;
  for (let cell = 0; cell < cells; cell++) value = (value << 32n) | BigInt(view.getUint32(at + 4 * cell));
  return value;
}

function readCell(path: string): number | undefined {
  const bytes = readBytes(path);
  if (bytes === undefined || bytes.length < 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}
