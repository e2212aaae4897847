import type { DeviceModel, ModelPins } from '@ring3/backend-sim/model';
import type { Width } from '@ring3/core';
import { plugIntoCable } from './cable.ts';
import type { UartOptions } from './options.ts';
import { Terminal } from './terminal.ts';
import { Uart } from './uart.ts';

/** The chip on its bus, with something at the other end of its line. Widths arrive checked. */
export class UartModel implements DeviceModel {
  readonly uart: Uart;
  /** What stands at the other end, if it is an echo. */
  readonly echo: Terminal | undefined;
  readonly #stride: number;
  readonly #unplug: () => void;
  #powered = true;

  constructor(pins: ModelPins, options: UartOptions) {
    this.uart = new Uart(pins, options);
    this.#stride = options.stride;
    const { farEnd } = options;
    if (farEnd === 'echo') {
      this.echo = new Terminal(pins, this.uart, { echo: true });
      this.uart.connect(this.echo);
      this.uart.setInputs({ cts: true, dsr: true, dcd: true });
    }
    this.#unplug = typeof farEnd === 'object' ? plugIntoCable(farEnd.cable, this.uart, pins.log) : () => {};
  }

  read(_space: string, offset: number, width: Width): number {
    if (!this.#powered) return 2 ** width - 1;
    return offset % this.#stride === 0 ? this.uart.read(offset / this.#stride) : 0;
  }

  write(_space: string, offset: number, _width: Width, value: number): void {
    if (this.#powered && offset % this.#stride === 0) this.uart.write(offset / this.#stride, value & 0xff);
  }

  cutPower(): void {
    if (!this.#powered) return;
    this.#powered = false;
    this.#unplug();
    this.uart.stop();
  }

  async close(): Promise<void> {
    this.cutPower();
  }
}
