import { closeSync, openSync, readdirSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const DEVICES = '/sys/bus/pci/devices';
/** Offset of the command register in the configuration space, and bits of it. */
const COMMAND = 0x04;
const COMMAND_IO = 0x1;
const COMMAND_MEMORY = 0x2;
const COMMAND_INTX_DISABLE = 0x400;

/** The addresses of all PCI functions with these ids: `0x1234`, `0x11e8`. */
export function pciFunctions(vendor: string, device: string): string[] {
  return readdirSync(DEVICES)
    .sort()
    .filter((address) => textOf(address, 'vendor') === vendor && textOf(address, 'device') === device);
}

/** A base address register of a function: where it begins and ends. */
export function barOf(address: string, bar: number): { readonly start: number; readonly sizeBytes: number } {
  const [start = 0, end = 0] = (textOf(address, 'resource').split('\n')[bar] ?? '').split(' ').map(Number);
  return { start, sizeBytes: end - start + 1 };
}

/** Takes the kernel's driver away from a function. */
export function unbind(address: string): void {
  try {
    writeFileSync(join(DEVICES, address, 'driver/unbind'), address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Lets a function answer, and keeps its interrupt line quiet, which nobody would handle. */
export function wake(address: string): void {
  const config = openSync(join(DEVICES, address, 'config'), 'r+');
  const word = Buffer.alloc(2);
  readSync(config, word, 0, 2, COMMAND);
  word.writeUInt16LE(word.readUInt16LE() | COMMAND_IO | COMMAND_MEMORY | COMMAND_INTX_DISABLE);
  writeSync(config, word, 0, 2, COMMAND);
  closeSync(config);
}

function textOf(address: string, attribute: string): string {
  return readFileSync(join(DEVICES, address, attribute), 'utf8').trim();
}
