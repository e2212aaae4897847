import { DeviceError, type Logger, type RegisterAccess, SILENT } from '@ring3/core';
import type { Board } from '../boards/board.ts';
import { BOARDS } from '../boards/index.ts';
import { isThere, placesIn, type QemuPlaces, QemuProcess } from '../process/qemu-process.ts';
import { Qmp } from '../process/qmp.ts';
import type { BusKind } from '../qtest/bus.ts';
import { QtestAccess } from '../qtest/qtest-access.ts';
import { discover, findObject } from './discover.ts';
import { type Inventory, loadInventory, storeInventory } from './inventory.ts';
import { MachineConnection } from './machine-connection.ts';
import type { MachineSpec } from './machine-spec.ts';

/** How a {@link QemuMachine} is started. */
export interface MachineOptions {
  readonly log?: Logger;
  /** A QEMU that does not answer as long is given up: its devices are gone. Default 5000. */
  readonly answerTimeoutMs?: number;
}

/** A running QEMU without a guest, its firmware's work done. */
export class QemuMachine {
  readonly board: Board;
  readonly places: QemuPlaces;
  /** The PCI functions and the ids of the configuration. */
  readonly inventory: Inventory;
  readonly answerTimeoutMs: number;
  /** Missing where another process has started it. */
  readonly #process: QemuProcess | undefined;
  #connection: MachineConnection | undefined;
  #users = 0;

  private constructor(
    board: Board,
    { process, ...rest }: { process?: QemuProcess; places: QemuPlaces; inventory: Inventory; answerTimeoutMs: number },
  ) {
    this.board = board;
    this.#process = process;
    this.places = rest.places;
    this.inventory = rest.inventory;
    this.answerTimeoutMs = rest.answerTimeoutMs;
  }

  /** @throws DeviceError `not-found` without QEMU, `config` with what QEMU says of the devices. */
  static async start(spec: MachineSpec, options: MachineOptions = {}): Promise<QemuMachine> {
    const { log = SILENT, answerTimeoutMs = 5000 } = options;
    const board = boardOf(spec);
    const process = await QemuProcess.start(board, spec, log);
    try {
      const inventory = await discover(board, spec, process.places, answerTimeoutMs);
      storeInventory(process.places.folder, inventory);
      return new QemuMachine(board, { process, places: process.places, inventory, answerTimeoutMs });
    } catch (error) {
      await process.kill();
      throw error;
    }
  }

  /** The machine that another process has started. @throws DeviceError `gone` where it is not there any more. */
  static join(spec: MachineSpec, folder: string, pid: number, options: MachineOptions = {}): QemuMachine {
    const { answerTimeoutMs = 5000 } = options;
    const places = placesIn(folder, pid);
    if (!isThere(places)) throw new DeviceError('gone', `QEMU (process ${pid}) ended`);
    return new QemuMachine(boardOf(spec), { places, inventory: loadInventory(folder), answerTimeoutMs });
  }

  /** Resolves in words when a QEMU that this process has started is no more; else never. */
  get ended(): Promise<string> {
    return this.#process?.ended ?? new Promise(() => {});
  }

  /** Whether QEMU is there. */
  get alive(): boolean {
    return isThere(this.places);
  }

  /** The number of the process of QEMU. */
  get pid(): number {
    return this.places.pid;
  }

  /**
   * Takes hold of the buses; who asks again shares them, and gives them back with {@link disconnect}.
   * @throws DeviceError `gone`, or `busy` when another process has them.
   */
  connect(): MachineConnection {
    if (this.#connection === undefined || !this.#connection.qtest.alive) {
      const { board, places, inventory, answerTimeoutMs } = this;
      this.#connection = new MachineConnection({ board, places, inventory, answerTimeoutMs });
      this.#users = 0;
    }
    this.#users++;
    return this.#connection;
  }

  /** The last one lets others connect. */
  disconnect(connection: MachineConnection): void {
    if (connection !== this.#connection) {
      connection.close();
      return;
    }
    if (--this.#users > 0) return;
    this.#connection = undefined;
    connection.close();
  }

  /** Any registers, by address: for tests that look from outside. Needs a {@link connect} that lasts as long. */
  access(bus: BusKind, base: bigint): RegisterAccess {
    return new QtestAccess(this.#connected().qtest, { bus, base });
  }

  /** One command of qtest, as `set_irq_in PATH NAME 2 1`. Needs a {@link connect} that lasts as long. */
  qtest(command: string): string {
    return this.#connected().qtest.ask(command);
  }

  /** Runs one command of QMP: `qmp('screendump', { filename })`. @throws DeviceError `fault` with QEMU's words. */
  async qmp(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const qmp = await Qmp.connect(this.places.qmp);
    try {
      return await qmp.execute(command, args);
    } finally {
      qmp.close();
    }
  }

  /** The path of the first object of a type: `child<pl061>` as `qom-list` has it. @throws DeviceError `not-found`. */
  async findObject(type: RegExp): Promise<string> {
    const qmp = await Qmp.connect(this.places.qmp);
    try {
      return await findObject(qmp, type);
    } finally {
      qmp.close();
    }
  }

  /** Ends QEMU at once, as pulling out all of its devices does. Only where it was started. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Ends it, and lets go of it. */
  async close(): Promise<void> {
    this.#connection?.close();
    this.#connection = undefined;
    await this.kill();
  }

  #connected(): MachineConnection {
    if (this.#connection === undefined) throw new DeviceError('closed', 'connect to the machine first');
    return this.#connection;
  }
}

function boardOf({ machine }: MachineSpec): Board {
  const board = BOARDS.get(machine);
  if (board === undefined) {
    throw new DeviceError('config', `there is no board "${machine}": choose ${[...BOARDS.keys()].join(', ')}`);
  }
  return board;
}
