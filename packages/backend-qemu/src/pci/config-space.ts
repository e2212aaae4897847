import type { PciConfigAccess } from '../boards/board.ts';
import { readCommand, writeCommand } from '../qtest/bus.ts';
import type { QtestConnection } from '../qtest/qtest-connection.ts';

/** A function of bus 0. */
export interface FunctionNumber {
  readonly device: number;
  readonly function: number;
}

/** The bit that makes the address register of the ports answer. */
const ENABLE = 0x8000_0000n;

/** Configuration space of bus 0, 32 bits at a time; all ones where no function answers. */
export class PciConfigSpace {
  readonly #qtest: QtestConnection;
  readonly #access: PciConfigAccess;

  constructor(qtest: QtestConnection, access: PciConfigAccess) {
    this.#qtest = qtest;
    this.#access = access;
  }

  read32(at: FunctionNumber, offset: number): number {
    return this.readAll([{ at, offset }])[0] as number;
  }

  /** Reads in one round trip. */
  readAll(places: readonly { readonly at: FunctionNumber; readonly offset: number }[]): number[] {
    const values: number[] = [];
    const access = this.#access;
    let answer = 0;
    const isValue = (index: number) => access.kind === 'memory' || index % 2 === 1;
    this.#qtest.exchangeAll(
      places.flatMap(({ at, offset }) => this.#select(at, offset).concat(this.#readText(at, offset))),
      (low) => {
        if (isValue(answer++)) values.push(low);
      },
    );
    return places.map((_, index) => values[index] ?? 0xffff_ffff);
  }

  write32(at: FunctionNumber, offset: number, value: number): void {
    const access = this.#access;
    const place =
      access.kind === 'memory'
        ? { bus: 'memory' as const, address: this.#memory(at, offset) }
        : { bus: 'port' as const, address: access.data };
    this.#qtest.exchangeAll([...this.#select(at, offset), writeCommand(place.bus, 32, place.address, value >>> 0)]);
  }

  #select(at: FunctionNumber, offset: number): string[] {
    const access = this.#access;
    if (access.kind === 'memory') return [];
    const address = ENABLE | BigInt((at.device << 11) | (at.function << 8) | offset);
    return [writeCommand('port', 32, access.address, address)];
  }

  #readText(at: FunctionNumber, offset: number): string {
    const access = this.#access;
    return access.kind === 'memory'
      ? readCommand('memory', 32, this.#memory(at, offset))
      : readCommand('port', 32, access.data);
  }

  #memory(at: FunctionNumber, offset: number): bigint {
    const access = this.#access;
    if (access.kind !== 'memory') return 0n;
    const { base, deviceShift, functionShift } = access;
    return (
      base +
      (BigInt(at.device) << BigInt(deviceShift)) +
      (BigInt(at.function) << BigInt(functionShift)) +
      BigInt(offset)
    );
  }
}
