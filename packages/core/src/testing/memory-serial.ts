import { BehaviorSubject, type Observable } from 'rxjs';
import { type Clock, sleep } from '../clock.ts';
import { DeviceError } from '../device-error.ts';
import { ReceiveQueue } from '../receive-queue.ts';
import {
  bitsPerCharacter,
  checkSerialChange,
  type SerialCallOptions,
  type SerialChange,
  type SerialErrors,
  type SerialInputs,
  type SerialPort,
  type SerialPortInfo,
  type SerialSettings,
  type SerialStatus,
} from '../serial-port.ts';
import { TransmitQueue } from '../transmit-queue.ts';

/** What {@link MemorySerialPort.receive} gets: characters that were sent with these settings. */
interface Burst {
  readonly bytes: Uint8Array;
  readonly settings: SerialSettings;
}

/** How many characters are on the line at a time. */
const FIFO_BYTES = 16;
const XON = 0x11;
const XOFF = 0x13;

const POWER_ON: SerialStatus = {
  settings: { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' },
  outputs: { dtr: true, rts: true, break: false },
  inputs: { cts: false, dsr: false, dcd: false, ri: false },
  errors: { overruns: 0, bufferOverruns: 0, parity: 0, framing: 0, breaks: 0, interruptions: 0 },
};

/**
 * The reference serial port for tests: one end of a null modem cable in memory, as simple as the contract allows.
 * {@link serialCable} makes both ends.
 */
export class MemorySerialPort implements SerialPort {
  readonly info: SerialPortInfo = { model: 'memory', fifoBytes: FIFO_BYTES, simulated: true };
  readonly #clock: Clock;
  readonly #received: ReceiveQueue;
  readonly #queue = new TransmitQueue();
  readonly #status = new BehaviorSubject<SerialStatus>(POWER_ON);
  #peer: MemorySerialPort | undefined;
  #sending: Promise<void> | undefined;
  /** The other end has sent XOFF. */
  #held = false;
  /** The other end was asked to wait. */
  #holding = false;
  #ended: DeviceError | undefined;

  constructor(clock: Clock, receiveBytes: number) {
    this.#clock = clock;
    this.#received = new ReceiveQueue(receiveBytes, () => this.#updateFlow());
  }

  get status$(): Observable<SerialStatus> {
    return this.#status.asObservable();
  }

  read(into: Uint8Array, options?: SerialCallOptions): Promise<number> {
    return this.#received.read(into, options);
  }

  write(from: Uint8Array, options?: SerialCallOptions): Promise<void> {
    const written = this.#queue.write(from, options);
    this.#send();
    return written;
  }

  async drain(options?: SerialCallOptions): Promise<void> {
    await this.#queue.passed(options);
    await this.#sending;
    if (this.#ended !== undefined) throw this.#ended;
  }

  async set(change: SerialChange): Promise<void> {
    checkSerialChange(change);
    if (this.#ended !== undefined) throw this.#ended;
    const { dtr, rts, break: breaking, ...settings } = change;
    if (Object.keys(settings).length > 0 || breaking !== undefined) await this.#sending;
    const before = this.#now.outputs;
    const outputs = { dtr: dtr ?? before.dtr, rts: rts ?? before.rts, break: breaking ?? before.break };
    this.#change({ settings: { ...this.#now.settings, ...settings }, outputs });
    if (outputs.break && !before.break) this.#peer?.fail('breaks');
    this.#updateFlow();
    this.#send();
  }

  /** Ends the port: DeviceError `closed` from now on. */
  close(): void {
    if (this.#ended !== undefined) return;
    this.#ended = new DeviceError('closed', 'the memory port was closed');
    this.#received.end(this.#ended);
    this.#queue.end('closed', this.#ended.message);
    this.#status.complete();
  }

  /** Plugs the cable in: what one end drives the other one sees. */
  connect(peer: MemorySerialPort): void {
    this.#peer = peer;
    peer.see(this.#pins());
  }

  /** What the other end drives. */
  see(inputs: SerialInputs): void {
    this.#change({ inputs });
    this.#send();
  }

  /** Counts what went wrong on the line. */
  fail(what: keyof SerialErrors): void {
    const { errors } = this.#now;
    this.#change({ errors: { ...errors, [what]: errors[what] + 1 } });
  }

  /** Takes what arrived. */
  receive({ bytes, settings }: Burst): void {
    const own = this.#now.settings;
    for (const byte of bytes) {
      if (settings.baudRate !== own.baudRate) this.fail('framing');
      else if (settings.parity !== own.parity) this.fail('parity');
      if (own.flowControl === 'xon-xoff' && (byte === XON || byte === XOFF)) this.#held = byte === XOFF;
      else if (!this.#received.push(byte)) this.fail('bufferOverruns');
    }
    this.#received.deliver();
    this.#updateFlow();
    this.#send();
  }

  get #now(): SerialStatus {
    return this.#status.value;
  }

  #change(part: Partial<SerialStatus>): void {
    if (this.#ended !== undefined) return;
    this.#status.next({ ...this.#now, ...part });
    if (part.outputs !== undefined) this.#peer?.see(this.#pins());
  }

  #pins(): SerialInputs {
    const { dtr, rts } = this.#now.outputs;
    const { flowControl } = this.#now.settings;
    return { cts: rts && !(flowControl === 'rts-cts' && this.#holding), dsr: dtr, dcd: dtr, ri: false };
  }

  /** Asks the other end to wait while less than half of the buffer is free. */
  #updateFlow(): void {
    const full = this.#received.length * 2 > this.#received.capacityBytes;
    if (full === this.#holding) return;
    this.#holding = full;
    const { settings } = this.#now;
    if (settings.flowControl === 'xon-xoff') {
      this.#peer?.receive({ bytes: Uint8Array.of(full ? XOFF : XON), settings });
    }
    this.#peer?.see(this.#pins());
  }

  get #maySend(): boolean {
    const { settings, inputs } = this.#now;
    return settings.flowControl === 'rts-cts' ? inputs.cts : !this.#held;
  }

  #send(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      if (this.#ended === undefined && this.#maySend && !this.#queue.idle) this.#send();
    });
  }

  async #sendAll(): Promise<void> {
    await Promise.resolve();
    while (this.#ended === undefined && this.#maySend) {
      const bytes = this.#queue.next(FIFO_BYTES).slice();
      if (bytes.length === 0) return;
      this.#queue.taken(bytes.length);
      const { settings } = this.#now;
      await sleep(this.#clock, (bytes.length * bitsPerCharacter(settings) * 1e6) / settings.baudRate);
      this.#peer?.receive({ bytes, settings });
    }
  }
}

/** Two serial ports with a null modem cable between them. */
export function serialCable(
  clock: Clock,
  { receiveBytes = 1024 }: { readonly receiveBytes?: number } = {},
): readonly [MemorySerialPort, MemorySerialPort] {
  const ends = [new MemorySerialPort(clock, receiveBytes), new MemorySerialPort(clock, receiveBytes)] as const;
  ends[0].connect(ends[1]);
  ends[1].connect(ends[0]);
  return ends;
}
