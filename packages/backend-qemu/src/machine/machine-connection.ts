import { DmaPool } from '@ring3/core';
import { type MappedMemory, mapMemory } from '@ring3/linux';
import type { Board } from '../boards/board.ts';
import { InterruptWire, type WireLine } from '../interrupts/interrupt-wire.ts';
import { PendingRegister } from '../interrupts/pending-register.ts';
import { PciConfigSpace } from '../pci/config-space.ts';
import type { QemuPlaces } from '../process/qemu-process.ts';
import { readBus } from '../qtest/bus.ts';
import { QtestConnection } from '../qtest/qtest-connection.ts';
import type { Inventory } from './inventory.ts';

/** What a {@link MachineConnection} works with. */
export interface ConnectionOptions {
  readonly board: Board;
  readonly places: QemuPlaces;
  readonly inventory: Inventory;
  readonly answerTimeoutMs: number;
}

/** The interrupt pin of a device that knows of it. */
export interface Pin {
  readonly isAsserted: () => boolean;
  readonly mask: (masked: boolean) => void;
}

/** One process's hold of a machine: its buses, its interrupt lines, its memory. QEMU lets one process do that at a time. */
export class MachineConnection {
  readonly qtest: QtestConnection;
  /** Configuration space; missing on a board without PCI. */
  readonly config: PciConfigSpace | undefined;
  readonly #options: ConnectionOptions;
  readonly #wires = new Map<number, InterruptWire>();
  /** How the devices that can tell are asked whether they assert their line. */
  readonly #asked = new WeakMap<WireLine, () => boolean>();
  readonly #pending: PendingRegister | undefined;
  #memory: { readonly mapped: MappedMemory; readonly pool: DmaPool } | undefined;

  /** @throws DeviceError `gone`, or `busy` when another process has the machine. */
  constructor(options: ConnectionOptions) {
    const { board, places, inventory, answerTimeoutMs } = options;
    this.#options = options;
    const irq = (line: number, level: boolean) => this.#wires.get(line)?.change(level);
    this.qtest = new QtestConnection({ socket: places.qtest, pid: places.pid, answerTimeoutMs, irq });
    this.config = board.pci && new PciConfigSpace(this.qtest, board.pci.config);
    const { interrupts } = board;
    this.#pending =
      interrupts.kind === 'pending-register' ? new PendingRegister(this.qtest, interrupts.address) : undefined;
    if (inventory.interceptPath === undefined) return;
    try {
      this.qtest.ask(`irq_intercept_in ${inventory.interceptPath}`);
    } catch (error) {
      this.qtest.close();
      throw error;
    }
  }

  /** One more end on an input of the interrupt controller. */
  connectLine(input: number, holder: string, trigger: 'level' | 'edge', pin?: Pin): WireLine {
    const wire = this.#wires.get(input) ?? this.#newWire(input);
    const line = wire.connect(holder, trigger, pin?.mask);
    if (pin !== undefined) this.#asked.set(line, pin.isAsserted);
    return line;
  }

  /** The guest's memory, for transfers of devices. */
  get pool(): DmaPool {
    this.#memory ??= this.#map();
    return this.#memory.pool;
  }

  #newWire(input: number): InterruptWire {
    const isAsserted = (line: WireLine) => this.#asked.get(line)?.() ?? this.#isInputAsserted(input);
    const wire = new InterruptWire(`line ${input}`, this.#pending?.sourceOf(input) ?? { isAsserted });
    this.#wires.set(input, wire);
    return wire;
  }

  /** As the controller has it: it sees its inputs, though its processor does not look. */
  #isInputAsserted(input: number): boolean {
    const { interrupts } = this.#options.board;
    if (!('assertedBits' in interrupts)) return false;
    const value = readBus(this.qtest, 'memory', 32, interrupts.assertedBits + BigInt(4 * (input >>> 5)));
    return this.qtest.alive && ((value >> BigInt(input & 31)) & 1n) === 1n;
  }

  #map() {
    const { board, places } = this.#options;
    const { ramOffset = 0, busAddress = 0n } = board.dma ?? {};
    const mapped = mapMemory({
      path: places.ram,
      fileOffset: BigInt(ramOffset),
      leadBytes: 0,
      sizeBytes: board.ramBytes - ramOffset,
    });
    return { mapped, pool: new DmaPool(dmaMemory(board), [{ busAddress, bytes: mapped.bytes }]) };
  }

  close(): void {
    this.#pending?.close();
    this.qtest.close();
    this.#memory?.mapped.close();
  }
}

/** What the memory is called for people. */
export function dmaMemory({ name }: Board): string {
  return `memory of QEMU's ${name}`;
}
