import type { Observable } from 'rxjs';
import { serviceClass } from './service.ts';

/** How characters look on the line. */
export interface SerialSettings {
  readonly baudRate: number;
  readonly dataBits: 5 | 6 | 7 | 8;
  readonly parity: 'none' | 'even' | 'odd' | 'mark' | 'space';
  readonly stopBits: 1 | 1.5 | 2;
  /** `xon-xoff` takes the characters 11h and 13h out of what is received. */
  readonly flowControl: 'none' | 'rts-cts' | 'xon-xoff';
}

/** What the port drives. */
export interface SerialOutputs {
  readonly dtr: boolean;
  /** With `rts-cts` the port takes RTS back by itself while it has no room. */
  readonly rts: boolean;
  /** The line is held in the break condition. */
  readonly break: boolean;
}

/** What the other end drives; false for what is not connected. */
export interface SerialInputs {
  readonly cts: boolean;
  readonly dsr: boolean;
  readonly dcd: boolean;
  readonly ri: boolean;
}

/** What went wrong since the port was opened; as `TIOCGICOUNT` of Linux. Counts never go back. */
export interface SerialErrors {
  /** Characters that the device lost because nobody fetched them in time: at least one for each count. */
  readonly overruns: number;
  /** Characters that were lost because the receive buffer was full. */
  readonly bufferOverruns: number;
  /** Received with wrong parity; the character was delivered as it came. */
  readonly parity: number;
  /** Received without a stop bit; the character was delivered as it came. */
  readonly framing: number;
  /** Break conditions that the other end sent; no character is delivered for them. */
  readonly breaks: number;
  /** The driver went away and came back: what was under way then, in either direction, may be lost. */
  readonly interruptions: number;
}

/** All that changes about a port. */
export interface SerialStatus {
  readonly settings: SerialSettings;
  readonly outputs: SerialOutputs;
  readonly inputs: SerialInputs;
  readonly errors: SerialErrors;
}

/** What a serial port is. Does not change while it is published. */
export interface SerialPortInfo {
  /** The kind of device: `16550A`. */
  readonly model: string;
  /** How many characters the device itself may hold after a write was acknowledged. */
  readonly fifoBytes: number;
  /** Simulated hardware says so, and everything that shows this device passes it on. */
  readonly simulated: boolean;
}

/** What {@link SerialPort.set} changes; what is left out stays. */
export type SerialChange = Partial<SerialSettings> & Partial<SerialOutputs>;

/** How a call may be ended early. */
export interface SerialCallOptions {
  /** Rejects the call with the reason of the signal. */
  readonly signal?: AbortSignal;
}

/**
 * A serial port: bytes in order, both ways at once. Calls may overlap; of each kind they are served in the order of the
 * calls, so one reader and one writer at a time are what makes sense.
 *
 * Nothing is lost silently: a received character is delivered once, in order, or an error is counted in
 * {@link SerialStatus.errors} before the first read that would have delivered it, or what came after it, resolves.
 *
 * Every method rejects, and never throws before it has returned a promise: with `RangeError` for arguments that cannot be,
 * before the device is touched; with DeviceError `unsupported` for settings that this device does not have; `gone`, `timeout`;
 * and with `closed` after the end of the service.
 */
export interface SerialPort {
  readonly info: SerialPortInfo;
  /** The state at once, then each change of it; several changes may come as one. Completes with the service, never errors. */
  readonly status$: Observable<SerialStatus>;
  /**
   * Waits for at least one byte and fills `into` from its begin with what is there.
   * @returns how many bytes. An aborted read takes none.
   */
  read(into: Uint8Array, options?: SerialCallOptions): Promise<number>;
  /**
   * Resolves when the device has taken all of `from`, which must not change until then: that is the back-pressure. The
   * last {@link SerialPortInfo.fifoBytes} may still be on their way then. A failure that knows how many bytes the device
   * has taken says so in `details.written`.
   */
  write(from: Uint8Array, options?: SerialCallOptions): Promise<void>;
  /** Resolves when the last bit of what was written before has left the device. */
  drain(options?: SerialCallOptions): Promise<void>;
  /**
   * Changes settings and outputs. Settings and break wait for what the device has taken to leave; bytes that it has not
   * taken are sent afterwards. To send a break of 250 ms: `drain`, `set({ break: true })`, wait, `set({ break: false })`.
   */
  set(change: SerialChange): Promise<void>;
}

/** The class of serial ports. */
export const SERIAL_PORT = serviceClass<SerialPort>('serial-port');

const CHOICES: { readonly [Key in keyof SerialChange]?: readonly unknown[] } = {
  dataBits: [5, 6, 7, 8],
  parity: ['none', 'even', 'odd', 'mark', 'space'],
  stopBits: [1, 1.5, 2],
  flowControl: ['none', 'rts-cts', 'xon-xoff'],
  dtr: [true, false],
  rts: [true, false],
  break: [true, false],
};

/**
 * The check that every serial port makes first.
 * @throws RangeError in words: `dataBits 9: give 5, 6, 7, 8`.
 */
export function checkSerialChange(change: SerialChange): void {
  for (const [key, value] of Object.entries(change)) {
    if (key === 'baudRate') checkBaudRate(value);
    else checkChoice(key, value);
  }
}

function checkBaudRate(value: unknown): void {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return;
  throw new RangeError(`baudRate ${String(value)}: give bits per second, more than 0`);
}

function checkChoice(key: string, value: unknown): void {
  const choices: Readonly<Record<string, readonly unknown[] | undefined>> = CHOICES;
  const known = choices[key];
  if (known === undefined) {
    throw new RangeError(`a serial port has no ${key}; there is: baudRate, ${Object.keys(CHOICES).join(', ')}`);
  }
  if (!known.includes(value)) throw new RangeError(`${key} ${String(value)}: give ${known.join(', ')}`);
}

/** Bits of one character on the line, with start, parity and stop bits. */
export function bitsPerCharacter({ dataBits, parity, stopBits }: SerialSettings): number {
  return 1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits;
}
