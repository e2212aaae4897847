import type { ModelPins } from '@ring3/backend-sim/model';
import type { Character, FarEnd, Format, Inputs, UartLine } from './line.ts';
import { Modem } from './modem.ts';
import type { UartOptions } from './options.ts';
import { Receiver } from './receiver.ts';
import { Transmitter } from './transmitter.ts';
import { FCR, IER, IIR, LCR, LSR, REGISTER, TRIGGER_LEVELS } from './uart-registers.ts';

const FIFO_DEPTH = 16;
/** At most so many violations are kept, the first ones. */
const VIOLATIONS_KEPT = 100;

/** The chip: eight registers, an interrupt pin, a line. Behaves as the PC16550D datasheet says. */
export class Uart implements UartLine {
  /** What the host did although it loses data; a good driver leaves this empty. */
  readonly violations: string[] = [];
  readonly transmitter: Transmitter;
  readonly #pins: ModelPins;
  readonly #options: UartOptions;
  readonly #receiver: Receiver;
  readonly #modem = new Modem();
  #farEnd: FarEnd | undefined;
  #ier = 0;
  #lcr = 0;
  #divisor = 0;
  #scratch = 0;
  #fifos = false;
  #emptyPending = false;

  constructor(pins: ModelPins, options: UartOptions) {
    this.#pins = pins;
    this.#options = options;
    this.#receiver = new Receiver(
      pins,
      () => this.format,
      () => this.#updatePin(),
    );
    this.transmitter = new Transmitter(pins, () => this.format, {
      sent: (character) => this.#sent(character),
      emptied: () => this.#setEmptyPending(true),
      overflowed: () => this.#violation('wrote THR although there was no room'),
    });
  }

  /** Puts something at the other end of the line. */
  connect(farEnd: FarEnd): void {
    this.#farEnd = farEnd;
    farEnd.outputs(this.#modem.outputs);
  }

  get format(): Format {
    const parities = ['odd', 'even', 'mark', 'space'] as const;
    const dataBits = 5 + (this.#lcr & LCR.dataBits);
    const stick = (this.#lcr & LCR.stick) !== 0 ? 2 : 0;
    const parity = parities[stick + ((this.#lcr & LCR.even) !== 0 ? 1 : 0)] ?? 'odd';
    return {
      bitUs: (16 * this.#divisor * 1e6) / this.#options.clockRate,
      dataBits,
      parity: (this.#lcr & LCR.parity) === 0 ? 'none' : parity,
      stopBits: (this.#lcr & LCR.stopBits) === 0 ? 1 : dataBits === 5 ? 1.5 : 2,
    };
  }

  read(register: number): number {
    const dlab = (this.#lcr & LCR.dlab) !== 0;
    switch (register) {
      case REGISTER.data:
        return dlab ? this.#divisor & 0xff : this.#receiver.take();
      case REGISTER.ier:
        return dlab ? this.#divisor >>> 8 : this.#ier;
      case REGISTER.iirFcr:
        return this.#readIdentification();
      case REGISTER.lcr:
        return this.#lcr;
      case REGISTER.mcr:
        return this.#modem.control;
      case REGISTER.lsr:
        return this.#readLineStatus();
      case REGISTER.msr:
        return this.#readModemStatus();
      default:
        return this.#options.kind === '8250' ? 0xff : this.#scratch;
    }
  }

  write(register: number, value: number): void {
    const dlab = (this.#lcr & LCR.dlab) !== 0;
    if (register === REGISTER.data && dlab) this.#setDivisor((this.#divisor & 0xff00) | value);
    else if (register === REGISTER.data) this.#transmit(value);
    else if (register === REGISTER.ier && dlab) this.#setDivisor((this.#divisor & 0xff) | (value << 8));
    else if (register === REGISTER.ier) this.#enableInterrupts(value);
    else if (register === REGISTER.iirFcr) this.#controlFifos(value);
    else if (register === REGISTER.lcr) this.#controlLine(value);
    else if (register === REGISTER.mcr) this.#controlModem(value);
    else if (register === REGISTER.scratch) this.#scratch = value;
  }

  receive(character: Character): void {
    if (!this.#modem.loop && this.format.bitUs > 0) this.#receiver.receive(character);
  }

  receiveBreak(on: boolean): void {
    if (!this.#modem.loop) this.#receiver.receiveBreak(on);
  }

  setInputs(inputs: Partial<Inputs>): void {
    this.#modem.setInputs(inputs);
    this.#updatePin();
  }

  /** The power goes. */
  stop(): void {
    this.transmitter.stop();
    this.#receiver.stop();
    this.#farEnd?.outputs({ dtr: false, rts: false });
  }

  #transmit(value: number): void {
    this.#setEmptyPending(false);
    this.transmitter.put(value);
  }

  #sent(character: Character): void {
    if (this.#modem.loop) this.#receiver.receive(character);
    else if ((this.#lcr & LCR.break) === 0) this.#farEnd?.character(character);
  }

  #readLineStatus(): number {
    const { holdingEmpty, empty } = this.transmitter;
    const value = this.#receiver.status | (holdingEmpty ? LSR.holdingEmpty : 0) | (empty ? LSR.transmitterEmpty : 0);
    this.#receiver.statusWasRead();
    return value;
  }

  #readModemStatus(): number {
    const value = this.#modem.readStatus();
    this.#updatePin();
    return value;
  }

  #readIdentification(): number {
    const pending = this.#pending();
    // Reading IIR takes the transmitter's interrupt back, if that is what it names. Table IV.
    if (pending === IIR.transmitterEmpty) this.#setEmptyPending(false);
    const { kind } = this.#options;
    const fifoBits = !this.#fifos ? 0 : kind === '16550A' ? 0xc0 : kind === '16550' ? 0x80 : 0;
    return pending | fifoBits;
  }

  #pending(): number {
    const enabled = (source: number) => (this.#ier & source) !== 0;
    if (enabled(IER.lineStatus) && this.#receiver.hasError) return IIR.lineStatus;
    if (enabled(IER.received) && this.#receiver.triggered) return IIR.received;
    if (enabled(IER.received) && this.#receiver.timedOut) return IIR.timeout;
    if (enabled(IER.transmitterEmpty) && this.#emptyPending) return IIR.transmitterEmpty;
    if (enabled(IER.modemStatus) && this.#modem.changed) return IIR.modemStatus;
    return IIR.none;
  }

  #enableInterrupts(value: number): void {
    const before = this.#ier;
    this.#ier = value & 0x0f;
    const enabledNow = (this.#ier & ~before & IER.transmitterEmpty) !== 0;
    if (enabledNow && this.transmitter.holdingEmpty && !this.#options.silentEnable) this.#emptyPending = true;
    this.#updatePin();
  }

  #controlFifos(value: number): void {
    const { kind } = this.#options;
    if (kind === '8250' || kind === '16450') return;
    const enable = (value & FCR.enable) !== 0;
    const toggled = enable !== this.#fifos;
    this.#fifos = enable;
    const depth = enable && kind === '16550A' ? FIFO_DEPTH : 1;
    this.#receiver.depth = depth;
    this.transmitter.depth = depth;
    this.#receiver.triggerLevel = depth === 1 ? 1 : (TRIGGER_LEVELS[value >>> 6] ?? 1);
    // A change of the mode empties both FIFOs. Section 8.5, bit 0.
    if (toggled || (enable && (value & FCR.clearReceiver) !== 0)) this.#receiver.clear();
    if (toggled || (enable && (value & FCR.clearTransmitter) !== 0)) this.transmitter.clear();
    this.#updatePin();
  }

  #controlLine(value: number): void {
    const changed = this.#lcr ^ value;
    this.#lcr = value;
    if ((changed & LCR.break) !== 0 && !this.#modem.loop) this.#farEnd?.break((value & LCR.break) !== 0);
  }

  #controlModem(value: number): void {
    this.#modem.control = value;
    this.#farEnd?.outputs(this.#modem.outputs);
    this.#updatePin();
  }

  #setDivisor(divisor: number): void {
    if (!this.transmitter.empty && this.#divisor !== 0)
      this.#violation('changed the divisor in the middle of a character');
    this.#divisor = divisor;
    this.transmitter.resume();
  }

  #setEmptyPending(pending: boolean): void {
    this.#emptyPending = pending;
    this.#updatePin();
  }

  #updatePin(): void {
    const { interrupt, out2 } = this.#options;
    if (!interrupt) return;
    const connected = !out2 || this.#modem.out2;
    if (connected && this.#pending() !== IIR.none) this.#pins.interrupt(0).raise();
    else this.#pins.interrupt(0).lower();
  }

  #violation(what: string): void {
    if (this.violations.length < VIOLATIONS_KEPT) this.violations.push(what);
  }
}
