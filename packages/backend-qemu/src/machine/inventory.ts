import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PciFunction } from '../pci/pci-function.ts';

/** What the process that started QEMU found out: the others need no connection to know it. */
export interface Inventory {
  readonly functions: readonly PciFunction[];
  /** Where the devices of the configuration are on bus 0, by their ids; those that are no PCI functions are missing. */
  readonly slots: Readonly<Record<string, { readonly device: number; readonly function: number }>>;
  /** The object whose inputs are intercepted, where one is. */
  readonly interceptPath?: string | undefined;
}

const FILE = 'inventory.json';

/** Leaves it in the folder of a machine. */
export function storeInventory(folder: string, inventory: Inventory): void {
  const path = join(folder, FILE);
  writeFileSync(
    `${path}.new`,
    JSON.stringify(inventory, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
  );
  renameSync(`${path}.new`, path);
}

/** @throws an error of node:fs where there is none. */
export function loadInventory(folder: string): Inventory {
  const text = readFileSync(join(folder, FILE), 'utf8');
  return JSON.parse(text, (_, value) =>
    typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
  ) as Inventory;
}
