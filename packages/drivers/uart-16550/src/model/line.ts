/** How a character looks on the line. */
export interface Format {
  /** Duration of a bit; 0: the baud generator stands still. */
  readonly bitUs: number;
  readonly dataBits: number;
  readonly parity: 'none' | 'even' | 'odd' | 'mark' | 'space';
  readonly stopBits: number;
}

/** A character that was on the line from its start bit to its last stop bit. */
export interface Character {
  readonly value: number;
  readonly format: Format;
  /** What noise has done to it: another parity bit, no stop bit. */
  readonly damage?: 'parity' | 'framing' | undefined;
}

/** What a UART sees of the other end. */
export interface Inputs {
  readonly cts: boolean;
  readonly dsr: boolean;
  readonly ri: boolean;
  readonly dcd: boolean;
}

/** What the other end sees of a UART. */
export interface Outputs {
  readonly dtr: boolean;
  readonly rts: boolean;
}

/** Whatever is at the other end of the line. */
export interface FarEnd {
  /** A character has come, its last stop bit included. */
  character(character: Character): void;
  /** The line went into the break condition, or left it. */
  break(on: boolean): void;
  outputs(outputs: Outputs): void;
}

/** The UART as the other end of its line sees it. */
export interface UartLine {
  /** How the UART is set, so that the other end can be set alike. */
  readonly format: Format;
  receive(character: Character): void;
  receiveBreak(on: boolean): void;
  setInputs(inputs: Partial<Inputs>): void;
}

/** How long a character takes. */
export function characterUs({ bitUs, dataBits, parity, stopBits }: Format): number {
  return (1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * bitUs;
}

/** The parity bit that a sender adds; `undefined` for none. */
export function parityBit(value: number, { dataBits, parity }: Format): 0 | 1 | undefined {
  let ones = 0;
  for (let bit = 0; bit < dataBits; bit++) ones += (value >>> bit) & 1;
  switch (parity) {
    case 'none':
      return undefined;
    case 'even':
      return (ones & 1) as 0 | 1;
    case 'odd':
      return (1 - (ones & 1)) as 0 | 1;
    default:
      return parity === 'mark' ? 1 : 0;
  }
}
