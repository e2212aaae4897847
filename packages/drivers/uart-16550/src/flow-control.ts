import type { ReceiveQueue } from '@ring3/core';
import type { PortStatus } from './port-status.ts';
import type { Receiver } from './receiver.ts';
import { MCR, MSR, XOFF, XON } from './registers.ts';
import type { Transmitter } from './transmitter.ts';
import type { Uart } from './uart.ts';

/** Modem lines, and who has to wait for whom: CTS and XOFF for the transmitter, RTS and XOFF for the other end. */
export class FlowControl {
  readonly #uart: Uart;
  readonly #status: PortStatus;
  readonly #received: ReceiveQueue;
  readonly #receiver: Receiver;
  readonly #transmitter: Transmitter;
  /** What users want; RTS may be off all the same. */
  #wanted = { dtr: false, rts: false };
  /** The other end is asked to wait. */
  #full = false;

  constructor(uart: Uart, status: PortStatus, received: ReceiveQueue, receiver: Receiver, transmitter: Transmitter) {
    this.#uart = uart;
    this.#status = status;
    this.#received = received;
    this.#receiver = receiver;
    this.#transmitter = transmitter;
  }

  setOutputs(outputs: { readonly dtr?: boolean; readonly rts?: boolean }): void {
    this.#wanted = { ...this.#wanted, ...outputs };
    this.#drive();
  }

  /** Takes notice of the modem lines. */
  readModem(): void {
    const status = this.#uart.modemStatus();
    const on = (mask: number) => (status & mask) !== 0;
    const inputs = { cts: on(MSR.CTS), dsr: on(MSR.DSR), dcd: on(MSR.DCD), ri: on(MSR.RI) };
    const before = this.#status.now.inputs;
    const changed = (Object.keys(inputs) as (keyof typeof inputs)[]).some((name) => inputs[name] !== before[name]);
    if (changed) this.#status.change({ inputs });
    this.update();
  }

  /** @returns whether there is something to send because of it. */
  update(): boolean {
    const { settings, inputs } = this.#status.now;
    const mustWait = settings.flowControl === 'rts-cts' ? !inputs.cts : this.#receiver.held;
    this.#transmitter.hold('flow', settings.flowControl !== 'none' && mustWait);
    const { length, capacityBytes } = this.#received;
    const full = this.#full ? length > capacityBytes / 4 : length > capacityBytes / 2;
    if (full === this.#full) return false;
    this.#full = full;
    this.#drive();
    if (settings.flowControl !== 'xon-xoff') return false;
    this.#transmitter.sendUrgent(full ? XOFF : XON);
    return true;
  }

  /** OUT2 lets the interrupt of a PC's serial port out. */
  #drive(): void {
    const { settings, outputs } = this.#status.now;
    const { dtr } = this.#wanted;
    const rts = this.#wanted.rts && !(settings.flowControl === 'rts-cts' && this.#full);
    this.#uart.setModem((dtr ? MCR.DTR : 0) | (rts ? MCR.RTS : 0) | MCR.OUT2);
    if (dtr !== outputs.dtr || rts !== outputs.rts) this.#status.change({ outputs: { ...outputs, dtr, rts } });
  }
}
