import {
  bitsPerCharacter,
  type Clock,
  checkSerialChange,
  DeviceError,
  type DeviceErrorCode,
  describeValue,
  isDeviceError,
  type Logger,
  pollUntil,
  ReceiveQueue,
  type SerialCallOptions,
  type SerialChange,
  type SerialPort,
  type SerialPortInfo,
  type SerialSettings,
  type SerialStatus,
  type Trigger,
  type Verdict,
} from '@ring3/core';
import type { Observable } from 'rxjs';
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

/** What a port counts beside the errors on the line. */
export interface PortStatistics {
  readonly received: number;
  readonly sent: number;
  readonly interrupts: number;
  readonly lostInterrupts: number;
  readonly stuckTransmitters: number;
}

/** Causes that one interrupt serves before others get their turn. */
const PASSES = 16;
/** Characters that one pass takes, with slack for what comes meanwhile. */
const PASS_CHARACTERS = 64;

/** The serial port: what users call, and what interrupts, polls and watchdog call. */
export class UartPort implements SerialPort {
  readonly info: SerialPortInfo;
  /** Told when there is something to wait for. */
  onWaiting: () => void = () => {};
  /** Told once when the device is gone. */
  onLost: (reason: string) => void = () => {};
  readonly counts = { interrupts: 0, lostInterrupts: 0, stuckTransmitters: 0 };
  readonly #environment: PortEnvironment;
  readonly #uart: Uart;
  readonly #kind: UartKind;
  readonly #options: UartOptions;
  readonly #status: PortStatus;
  readonly #received: ReceiveQueue;
  readonly #receiver: Receiver;
  readonly #transmitter: Transmitter;
  readonly #flow: FlowControl;
  /** `undefined`: no interrupts are used. */
  #trigger: Trigger | undefined;
  #serving = false;
  #divisor = 0;
  #changing: Promise<void> = Promise.resolve();
  #stopping = false;
  #ended: DeviceError | undefined;

  constructor(environment: PortEnvironment, uart: Uart, kind: UartKind, options: UartOptions) {
    const { baudRate, dataBits, parity, stopBits, flowControl } = options;
    this.#environment = environment;
    this.#uart = uart;
    this.#kind = kind;
    this.#options = options;
    this.info = { model: kind.model, fifoBytes: kind.depth, simulated: environment.simulated };
    const settings = { baudRate, dataBits, parity, stopBits, flowControl };
    this.#status = new PortStatus(settings, { dtr: false, rts: false, break: false });
    this.#received = new ReceiveQueue(options.receiveBufferBytes, () => this.#taken());
    this.#receiver = new Receiver(uart, this.#received, this.#status, kind.depth);
    this.#transmitter = new Transmitter(uart, kind.depth);
    this.#flow = new FlowControl(uart, this.#status, this.#received, this.#receiver, this.#transmitter);
  }

  get status$(): Observable<SerialStatus> {
    return this.#status.changes$;
  }

  get statistics(): PortStatistics {
    return { received: this.#receiver.characters, sent: this.#transmitter.characters, ...this.counts };
  }

  get name(): string {
    return this.#environment.name;
  }

  /** How long a character takes with the settings of now. */
  get characterUs(): number {
    const { settings } = this.#status.now;
    return (bitsPerCharacter(settings) * 1e6) / settings.baudRate;
  }

  get depth(): number {
    return this.#kind.depth;
  }

  /** Whether somebody waits for what an interrupt would bring. */
  get waiting(): boolean {
    const { queue, waiting } = this.#transmitter;
    return this.#ended === undefined && (waiting || !queue.idle || this.#received.awaited);
  }

  /** Configures the chip and lets characters in. @throws DeviceError `unsupported` for settings that it does not have. */
  open(trigger: Trigger | undefined): void {
    this.#trigger = trigger;
    this.#configure(this.#status.now.settings, false);
    this.#flow.readModem();
    this.#flow.setOutputs({ dtr: true, rts: true });
    this.#updateInterrupts();
  }

  read(into: Uint8Array, options?: SerialCallOptions): Promise<number> {
    const reading = this.#received.read(into, options);
    this.#noteWaiting();
    return reading;
  }

  write(from: Uint8Array, options?: SerialCallOptions): Promise<void> {
    if (this.#stopping) return Promise.reject(this.#closedError());
    const { queue } = this.#transmitter;
    const wasIdle = queue.idle;
    const writing = queue.write(from, options);
    if (wasIdle && !queue.idle) this.#kick();
    return writing;
  }

  async drain(options?: SerialCallOptions): Promise<void> {
    if (this.#stopping) throw this.#closedError();
    await this.#transmitter.queue.passed(options);
    await this.#untilEmpty();
    if (this.#ended !== undefined) throw this.#ended;
  }

  async set(change: SerialChange): Promise<void> {
    checkSerialChange(change);
    if (this.#stopping || this.#ended !== undefined) throw this.#closedError();
    const turn = this.#changing.then(() => this.#apply(change));
    this.#changing = turn.catch(() => {});
    await turn;
  }

  /** The owner's part of an interrupt: serves one cause after the other until there is none (PC16550D 8.6). */
  attend(): Verdict {
    let verdict: Verdict = 'not-mine';
    for (let pass = 0; pass < PASSES && this.#ended === undefined; pass++) {
      const { cause, lineStatus } = this.#uart.pending();
      if (cause === undefined) {
        this.#receiver.noteOverrun(lineStatus);
        this.#status.tell();
        return verdict;
      }
      verdict = 'handled';
      if (cause === INTERRUPT.MODEM_STATUS) this.#flow.readModem();
      this.#serve(lineStatus, cause === INTERRUPT.RECEIVED ? this.#guaranteed : 1);
    }
    // A level comes again by itself; an edge would not.
    if (this.#trigger === 'edge') this.#environment.clock.after(0, () => this.attend());
    return verdict;
  }

  /** Looks without being asked: serves what the line status and the modem status show. @returns the line status. */
  look(): number {
    if (this.#ended !== undefined) return LSR.TEMT;
    this.#flow.readModem();
    return this.#serve(this.#uart.lineStatus(), 1);
  }

  /** Whether something is to be done that an interrupt should have told; takes nothing. */
  get isDue(): boolean {
    const status = this.#uart.lineStatus();
    this.#receiver.noteOverrun(status);
    return (status & LSR.DR) !== 0 || ((status & LSR.THRE) !== 0 && this.#transmitter.waiting);
  }

  /** The other end may have let go, and the interrupt that told so was lost. */
  checkFlow(): void {
    if (this.#transmitter.queue.idle || this.#transmitter.waiting) return;
    this.#flow.readModem();
    if (this.#transmitter.waiting) this.#kick();
  }

  /** Fails what is to be sent when the transmitter has not moved for long. */
  checkTransmitter(): void {
    const { clock, log, name } = this.#environment;
    const idleUs = clock.nowUs() - this.#transmitter.lastFilledUs;
    if (!this.#transmitter.waiting || idleUs < this.#transmitTimeoutUs) return;
    this.counts.stuckTransmitters++;
    const status = this.#uart.lineStatus();
    this.#receiver.noteOverrun(status);
    const seen = describeValue(LINE_STATUS_REGISTER, status);
    const words = `${name}: the transmitter has not become empty for ${(idleUs / 1e6).toFixed(1)} s: line status ${seen}`;
    log.error(words);
    this.#transmitter.begin(clock.nowUs());
    this.#transmitter.queue.fail('timeout', words);
    if (this.depth > 1) this.#uart.clearTransmitter(this.#options.receiveTrigger);
  }

  /** Takes no more writes, lets what was written leave in bounded time, and makes the chip quiet. */
  async stop(): Promise<void> {
    const { clock, log, name } = this.#environment;
    this.#stopping = true;
    if (this.#ended !== undefined) return;
    const passed = this.#transmitter.queue.passed().then(() => this.#untilEmpty());
    const late = new Promise<void>((resolve) => {
      const timer = clock.after(this.#options.drainSeconds * 1e6, resolve);
      const cancel = () => timer.cancel();
      passed.then(cancel, cancel);
    });
    await Promise.race([passed, late]).catch(() => {});
    if (!this.#transmitter.queue.idle)
      log.warn(`${name}: what was not sent in ${this.#options.drainSeconds} s is dropped`);
    this.end('closed', `${name}: the driver was stopped`);
    this.#uart.setInterrupts(0);
    this.#uart.setModem(0);
  }

  /** Ends the port for its users. */
  end(code: DeviceErrorCode, reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new DeviceError(code, reason);
    this.#received.end(this.#ended);
    this.#transmitter.queue.end(code, reason);
    this.#status.end();
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
      this.#status.tell();
      this.#received.deliver();
      this.#flow.update();
      if ((status & LSR.THRE) !== 0) this.#transmitter.fill(this.#environment.clock.nowUs());
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
    const transmit = this.#transmitter.waiting ? IER.ETBEI : 0;
    this.#uart.setInterrupts(IER.ERBFI | IER.ELSI | IER.EDSSI | transmit);
  }

  /** Begins to send at once where the chip has room: no interrupt tells that it has had room for long. */
  #kick(): void {
    this.#transmitter.begin(this.#environment.clock.nowUs());
    if (!this.#serving) {
      try {
        this.look();
      } catch (error) {
        if (!isDeviceError(error)) throw error;
        this.end(error.code, error.message);
      }
    }
    this.#noteWaiting();
  }

  /** A reader made room: the other end may send again. */
  #taken(): void {
    if (this.#serving || this.#ended !== undefined) return;
    if (this.#flow.update()) this.#kick();
  }

  #noteWaiting(): void {
    if (this.waiting) this.onWaiting();
  }

  async #untilEmpty(): Promise<void> {
    const { clock, name } = this.#environment;
    await pollUntil(clock, {
      what: `${name}: the transmitter becoming empty`,
      read: () => this.look(),
      until: (status) => (status & LSR.TEMT) !== 0,
      timeoutUs: this.#transmitTimeoutUs,
      intervalUs: this.characterUs,
      intervalMaxUs: Math.max(this.characterUs * this.depth, 1000),
    });
  }

  async #apply({ dtr, rts, break: breaking, ...part }: SerialChange): Promise<void> {
    const before = this.#status.now;
    const settings = { ...before.settings, ...part };
    const line = breaking ?? before.outputs.break;
    this.#check(settings);
    this.#flow.setOutputs({ ...(dtr !== undefined && { dtr }), ...(rts !== undefined && { rts }) });
    if (Object.keys(part).length > 0 || line !== before.outputs.break) {
      this.#transmitter.hold('settings', true);
      try {
        await this.#untilEmpty();
        if (this.#ended !== undefined) throw this.#ended;
        this.#configure(settings, line);
      } finally {
        this.#transmitter.hold('settings', false);
      }
    }
    this.#flow.update();
    this.#kick();
  }

  #check(settings: SerialSettings): void {
    lineControl(settings);
    divisorFor(this.#options.clockRate, settings.baudRate);
  }

  #configure(settings: SerialSettings, breaking: boolean): void {
    const divisor = divisorFor(this.#options.clockRate, settings.baudRate);
    this.#uart.setLine(lineControl(settings) | (breaking ? LCR.SET_BREAK : 0));
    if (divisor !== this.#divisor) this.#uart.setDivisor(divisor);
    this.#divisor = divisor;
    this.#transmitter.hold('break', breaking);
    this.#receiver.obeysXoff = settings.flowControl === 'xon-xoff';
    if (!this.#receiver.obeysXoff) this.#receiver.held = false;
    this.#status.change({ settings, outputs: { ...this.#status.now.outputs, break: breaking } });
  }

  #closedError(): DeviceError {
    return this.#ended ?? new DeviceError('closed', `${this.name}: the driver stops`);
  }
}
