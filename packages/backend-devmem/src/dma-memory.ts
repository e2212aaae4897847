import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceError, type DmaAllocator, type DmaResource, hex, type Logger, type SpaceResource } from '@ring3/core';
import {
  busTranslation,
  deviceErrorOf,
  errnoOf,
  HUGE_PAGE_MEMORY,
  HugePageLoan,
  hugePageObstacle,
  type LinuxRoots,
  linuxRoots,
  type openHugePages,
} from '@ring3/linux';
import { pciFunctionsAt } from './pci-functions.ts';
import type { DmaSelector } from './selector.ts';

/** The command register of a PCI function, and its Bus Master bit. Source: PCI Local Bus 3.0, section 6.2.2. */
const COMMAND = 0x04;
const BUS_MASTER = 0x0004;

/** Memory that a device behind these registers can be lent. */
export interface PlannedDma {
  readonly resource: DmaResource;
  /** The PCI functions whose registers these are: they are made bus masters. None: the device is on another bus. */
  readonly functions: readonly string[];
  readonly obstacles: readonly string[];
}

/** Finds what the device is, as far as its bus is concerned; nothing is taken. */
export function planDma({ sizeMiB }: DmaSelector, spaces: readonly SpaceResource[], roots: LinuxRoots): PlannedDma {
  const sizeBytes = sizeMiB * 2 ** 20;
  const functions = pciFunctionsAt(spaces, roots);
  const translated = functions.flatMap((address) => {
    const words = busTranslation(address, roots);
    return words === undefined ? [] : [`${address}: ${words}`];
  });
  return {
    resource: { memory: HUGE_PAGE_MEMORY, sizeBytes },
    functions,
    obstacles: [...translated, hugePageObstacle(sizeBytes, roots)].filter((words) => words !== undefined),
  };
}

/** Memory for the transfers of one open device. */
export class DmaMemory {
  readonly #id: string;
  readonly #plan: PlannedDma;
  readonly #roots: LinuxRoots;
  readonly #loan: HugePageLoan;
  readonly #masters: string[] = [];

  constructor(id: string, plan: PlannedDma, roots: LinuxRoots, log: Logger, take?: typeof openHugePages) {
    const { functions, resource } = plan;
    this.#id = id;
    this.#plan = plan;
    this.#roots = roots;
    this.#loan = new HugePageLoan({
      id,
      sizeBytes: resource.sizeBytes,
      roots,
      log,
      note: functions.length === 0 ? 'nobody but its driver can stop them' : `bus master: ${functions.join(', ')}`,
      check: () => this.#check(),
      setBusMaster: (on) => (on ? this.#makeMasters() : this.#endMasters(this.#masters)),
      ...(take === undefined ? {} : { take }),
    });
  }

  /** @throws DeviceError `unsupported`, `permission`: in words, and nothing is taken. */
  open(): DmaAllocator {
    return this.#loan.open();
  }

  /** Ends the transfers of a PCI function, also those of a driver that is dead. @throws DeviceError when the kernel refuses. */
  silence(): void {
    this.#endMasters(this.#plan.functions);
  }

  /** Gives the memory back, once the device is off the bus; keeps it where that cannot be had. */
  close(): void {
    this.#loan.close();
  }

  #check(): void {
    const [obstacle] = this.#plan.obstacles;
    if (obstacle !== undefined) throw new DeviceError('unsupported', `devmem: ${this.#id}: ${obstacle}`);
  }

  #makeMasters(): void {
    for (const address of this.#plan.functions) {
      this.#setBusMaster(address, true);
      this.#masters.push(address);
    }
  }

  #endMasters(addresses: readonly string[]): void {
    for (const address of addresses) this.#setBusMaster(address, false);
  }

  #setBusMaster(address: string, on: boolean): void {
    const path = join(linuxRoots(this.#roots).sys, 'bus/pci/devices', address, 'config');
    try {
      changeCommand(path, on);
    } catch (error) {
      if (!on && (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV')) return; // It left the bus altogether.
      throw deviceErrorOf(error, `${this.#id}: bus mastering of ${address} (bit ${hex(BUS_MASTER)} in ${path})`, {
        EACCES: 'the file belongs to root: run it as root, or give a udev rule',
        EPERM: 'the kernel is locked down (Secure Boot): VFIO is the way that stays',
      });
    }
  }
}

/** Writes only where something changes: whoever may not write may still find the function off the bus. */
function changeCommand(path: string, on: boolean): void {
  const word = Buffer.alloc(2);
  withFile(path, 'r', (file) => readSync(file, word, 0, 2, COMMAND));
  const command = word.readUInt16LE();
  const wanted = on ? command | BUS_MASTER : command & ~BUS_MASTER;
  if (wanted === command) return;
  word.writeUInt16LE(wanted);
  withFile(path, 'r+', (file) => writeSync(file, word, 0, 2, COMMAND));
}

function withFile(path: string, flags: 'r' | 'r+', use: (file: number) => void): void {
  const file = openSync(path, flags);
  try {
    use(file);
  } finally {
    closeSync(file);
  }
}
