/** What a disk controller has seen of a number of commands. */
export interface SeenCommands {
  /** Command codes, in the order in which they were written. */
  readonly codes: number[];
  /** Accesses to every register but Data. */
  registers: number;
  /** Accesses to Data. */
  data: number;
}

const LINE = /memory_region_ops_(read|write) cpu -?\d+ mr \S+ addr (\S+) value (\S+) size \d name '([^']+)'/;
/** The channel's registers and its bus master's, as QEMU's PIIX calls them. */
const CONTROLLER = ["'ide'", "'bmdma'", "'piix-bmdma'"];
/** The scratch register of `pc-testdev`: what is written there is the name of a phase. */
const MARK = "'pc-testdev-ioport'";
const DATA = 0x1f0;
const COMMAND = 0x1f7;

/** Counts what QEMU writes down of a disk controller's ports (`-trace memory_region_ops_*`), between marks. */
export class CommandCounter {
  readonly phases = new Map<number, SeenCommands>();
  #phase: SeenCommands | undefined;
  #rest = '';

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.endsWith(MARK)) this.#mark(line);
      else if (CONTROLLER.some((name) => line.endsWith(name))) this.#count(line);
    }
  }

  #mark(line: string): void {
    this.#phase = { codes: [], registers: 0, data: 0 };
    this.phases.set(Number(LINE.exec(line)?.[3]), this.#phase);
  }

  #count(line: string): void {
    const [, kind, address, value] = LINE.exec(line) ?? [];
    if (this.#phase === undefined || kind === undefined) return;
    if (Number(address) === DATA) this.#phase.data++;
    else this.#phase.registers++;
    if (kind === 'write' && Number(address) === COMMAND) this.#phase.codes.push(Number(value));
  }
}
