import type { SerialPort } from '../serial-port.ts';
import type { ConformanceCase, ConformanceHarness } from './conformance.ts';

/** What not every serial port under test, or not what stands at its other end, can do. */
export type SerialPortAbility = 'close' | 'settings' | 'modem-lines' | 'line-errors' | 'break' | 'rts-cts' | 'xon-xoff';

/** A serial port with something at the other end of its line, for one test. */
export interface SerialPortFixture {
  /** 8 data bits, no parity, 1 stop bit, no flow control. */
  readonly port: SerialPort;
  /**
   * The other end of a null modem cable: its RTS is the port's CTS, its DTR the port's DSR and DCD. Without the
   * abilities that concern it, only `read` and `write` are used.
   */
  readonly peer: SerialPort;
  /** How many bytes the long transfers move. Default 8 KiB. */
  readonly longBytes?: number;
  /** Lets the port's time pass until the promise settles; on real time it returns the promise. */
  readonly settle: <T>(promise: Promise<T>) => Promise<T>;
  /** Lets so much of the port's time pass. */
  readonly pass: (us: number) => Promise<void>;
  /** Ends the service of the port in the orderly way. Ability `close`. */
  readonly close?: () => Promise<void>;
  /** Gives everything back, whatever the test did. */
  readonly stop: () => Promise<void>;
}

/** What {@link serialPortConformance} runs on. */
export type SerialPortHarness = ConformanceHarness<SerialPortFixture, SerialPortAbility>;

/** One law of the suite. */
export type SerialPortCase = ConformanceCase<SerialPortFixture, SerialPortAbility>;
