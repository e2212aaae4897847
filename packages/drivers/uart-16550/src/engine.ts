import {
  bitsPerCharacter,
  type Clock,
  DeviceError,
  type DeviceErrorCode,
  describeValue,
  isDeviceError,
  type Logger,
  pollUntil,
  ReceiveQueue,
  type SerialSettings,
  type Trigger,
  type Verdict,
} from '@ring3/core';
import type { UartKind } from './detect.ts';
import { FlowControl } from './flow-control.ts';
import { divisorFor, lineControl } from './line-format.ts';
import type { UartOptions } from './options.ts';
import { PortStatus } from './port-status.ts';
import { Receiver } from './receiver.ts';
import { ALL_ONES, IER, INTERRUPT, LCR, LINE_STATUS_REGISTER, LSR } from './registers.ts';
import { Transmitter } from './transmitter.ts';
import type { Uart } from './uart.ts';

/** What a port lives on. */
export interface PortEnvironment {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly simulated: boolean;
}

/** Causes that one interrupt serves before others get their turn. */
const PASSES = 16;
/** Characters that one pass takes, with slack for what comes meanwhile. */
const PASS_CHARACTERS = 64;

/** Moves characters between the chip and the queues, whoever gives it the turn: an interrupt, a poll, the watchdog, a write. */
export class Engine {
  readonly kind: UartKind;
  readonly status: PortStatus;
  readonly received: ReceiveQueue;
  readonly transmitter: Transmitter;
  readonly flow: FlowControl;
  readonly counts = { interrupts: 0, lostInterrupts: 0, stuckTransmitters: 0 };
  /** Told when there is something to wait for. */
  onWaiting: () => void = () => {};
  /** Told once when the device is gone. */
  onLost: (reason: string) => void = () => {};
  readonly #environment: PortEnvironment;
  readonly #uart: Uart;
  readonly #options: UartOptions;
  readonly #receiver: Receiver;
  /** `undefined`: no interrupts are used. */
  #trigger: Trigger | undefined;
  #serving = false;
  #divisor = 0;
  #ended: DeviceError | undefined;

  constructor(environment: PortEnvironment, uart: Uart, kind: UartKind, options: UartOptions) {
    const { baudRate, dataBits, parity, stopBits, flowControl } = options;
    this.#environment = environment;
    this.#uart = uart;
    this.kind = kind;
    this.#options = options;
    const settings = { baudRate, dataBits, parity, stopBits, flowControl };
    this.status = new PortStatus(settings, { dtr: false, rts: false, break: false });
    this.received = new ReceiveQueue(options.receiveBufferBytes, () => this.#taken());
    this.#receiver = new Receiver(uart, this.received, this.status, kind.depth);
    this.transmitter = new Transmitter(uart, kind.depth);
    this.flow = new FlowControl(uart, this.status, this.received, this.#receiver, this.transmitter);
  }

  get name(): string {
    return this.#environment.name;
  }

  /** Why it has ended, if it has. */
  get ended(): DeviceError | undefined {
    return this.#ended;
  }

  /** Characters that came, for statistics. */
  get receivedCharacters(): number {
    return this.#receiver.characters;
  }

  /** How long a character takes with the settings of now. */
  get characterUs(): number {
    const { settings } = this.status.now;
    return (bitsPerCharacter(settings) * 1e6) / settings.baudRate;
  }

  /** Characters in each FIFO of the chip. */
  get depth(): number {
    return this.kind.depth;
  }

  /** Whether somebody waits for what an interrupt would bring. */
  get waiting(): boolean {
    const { queue, waiting } = this.transmitter;
    return this.#ended === undefined && (waiting || !queue.idle || this.received.awaited);
  }

  /** Configures the chip and lets characters in. @throws DeviceError `unsupported` for settings that it does not have. */
  open(trigger: Trigger | undefined): void {
    this.#trigger = trigger;
    this.configure(this.status.now.settings, false);
    this.flow.readModem();
    this.flow.setOutputs({ dtr: true, rts: true });
    this.#updateInterrupts();
  }

  /** Ends the port for its users. */
  end(code: DeviceErrorCode, reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new DeviceError(code, reason);
    this.received.end(this.#ended);
    this.transmitter.queue.end(code, reason);
    this.status.end();
  }

  /** No interrupts, no outputs. */
  silence(): void {
    this.#uart.setInterrupts(0);
    this.#uart.setModem(0);
  }

  /** The owner's part of an interrupt: serves one cause after the other until there is none (PC16550D 8.6). */
  attend(): Verdict {
    let verdict: Verdict = 'not-mine';
    for (let pass = 0; pass < PASSES && this.#ended === undefined; pass++) {
      const { cause, lineStatus } = this.#uart.pending();
      if (cause === undefined) {
        this.#receiver.noteOverrun(lineStatus);
        this.status.tell();
        return verdict;
      }
      verdict = 'handled';
      if (cause === INTERRUPT.MODEM_STATUS) this.flow.readModem();
      this.#serve(lineStatus, cause === INTERRUPT.RECEIVED ? this.#guaranteed : 1);
    }
    // A level comes again by itself; an edge would not.
    if (this.#trigger === 'edge') this.#environment.clock.after(0, () => this.attend());
    return verdict;
  }

  /** Looks without being asked: serves what the line status and the modem status show. @returns the line status. */
  look(): number {
    if (this.#ended !== undefined) return LSR.TEMT;
    this.flow.readModem();
    return this.#serve(this.#uart.lineStatus(), 1);
  }

  /** Whether something is to be done that an interrupt should have told; takes nothing. */
  get isDue(): boolean {
    const status = this.#uart.lineStatus();
    this.#receiver.noteOverrun(status);
    return (status & LSR.DR) !== 0 || ((status & LSR.THRE) !== 0 && this.transmitter.waiting);
  }

  /** The other end may have let go, and the interrupt that told so was lost. */
  checkFlow(): void {
    if (this.transmitter.queue.idle || this.transmitter.waiting) return;
    this.flow.readModem();
    if (this.transmitter.waiting) this.kick();
  }

  /** Fails what is to be sent when the transmitter has not moved for long. */
  checkTransmitter(): void {
    const { clock, log, name } = this.#environment;
    const idleUs = clock.nowUs() - this.transmitter.lastFilledUs;
    if (!this.transmitter.waiting || idleUs < this.#transmitTimeoutUs) return;
    this.counts.stuckTransmitters++;
    const status = this.#uart.lineStatus();
    this.#receiver.noteOverrun(status);
    const seen = describeValue(LINE_STATUS_REGISTER, status);
    const words = `${name}: the transmitter has not become empty for ${(idleUs / 1e6).toFixed(1)} s: line status ${seen}`;
    log.error(words);
    this.transmitter.begin(clock.nowUs());
    this.transmitter.queue.fail('timeout', words);
    if (this.depth > 1) this.#uart.clearTransmitter(this.#options.receiveTrigger);
  }

  /** Begins to send at once where the chip has room: no interrupt tells that it has had room for long. */
  kick(): void {
    this.transmitter.begin(this.#environment.clock.nowUs());
    if (!this.#serving) {
      try {
        this.look();
      } catch (error) {
        if (!isDeviceError(error)) throw error;
        this.end(error.code, error.message);
      }
    }
    this.noteWaiting();
  }

  /** Tells the watchdog if there is something to wait for. */
  noteWaiting(): void {
    if (this.waiting) this.onWaiting();
  }

  /** Waits until the last bit has left: there is no interrupt for that. @throws DeviceError `timeout`. */
  async untilEmpty(): Promise<void> {
    const { clock, name } = this.#environment;
    await pollUntil(clock, {
      what: `${name}: the transmitter becoming empty`,
      read: () => this.look(),
      until: (status) => (status & LSR.TEMT) !== 0,
      timeoutUs: this.#transmitTimeoutUs,
      intervalUs: this.characterUs,
      intervalMaxUs: Math.max(2 * this.characterUs, 1000),
    });
  }

  /** Sets format and speed; the transmitter is empty. */
  configure(settings: SerialSettings, breaking: boolean): void {
    const divisor = divisorFor(this.#options.clockRate, settings.baudRate);
    this.#uart.setLine(lineControl(settings) | (breaking ? LCR.SET_BREAK : 0));
    if (divisor !== this.#divisor) this.#uart.setDivisor(divisor);
    this.#divisor = divisor;
    this.transmitter.hold('break', breaking);
    this.#receiver.obeysXoff = settings.flowControl === 'xon-xoff';
    if (!this.#receiver.obeysXoff) this.#receiver.held = false;
    this.status.change({ settings, outputs: { ...this.status.now.outputs, break: breaking } });
  }

  /** How many characters are in the FIFO when it interrupts for data. */
  get #guaranteed(): number {
    return this.depth === 1 ? 1 : this.#options.receiveTrigger;
  }

  get #transmitTimeoutUs(): number {
    return 1_000_000 + 4 * (this.depth + 1) * this.characterUs;
  }

  /** @param known how many characters are there for certain. @returns the last line status that was seen. */
  #serve(lineStatus: number, known: number): number {
    this.#serving = true;
    try {
      if (lineStatus === ALL_ONES && this.#uart.allOnes()) return this.#lost();
      const status = this.#receiver.takeAll(lineStatus, known, PASS_CHARACTERS);
      this.status.tell();
      this.received.deliver();
      this.flow.update();
      if ((status & LSR.THRE) !== 0) this.transmitter.fill(this.#environment.clock.nowUs());
      this.#updateInterrupts();
      return status;
    } finally {
      this.#serving = false;
    }
  }

  /** Nothing drives the bus any more. */
  #lost(): number {
    const reason = `${this.name}: every register reads 0xff: nothing drives the bus`;
    this.end('gone', reason);
    this.onLost(reason);
    return LSR.TEMT;
  }

  #updateInterrupts(): void {
    if (this.#trigger === undefined) return;
    const transmit = this.transmitter.waiting ? IER.ETBEI : 0;
    this.#uart.setInterrupts(IER.ERBFI | IER.ELSI | IER.EDSSI | transmit);
  }

  /** A reader made room: the other end may send again. */
  #taken(): void {
    if (this.#serving || this.#ended !== undefined) return;
    if (this.flow.update()) this.kick();
  }
}
