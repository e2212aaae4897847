import type { ModelPins } from '@ring3/backend-sim/model';
import { type Character, characterUs, type FarEnd, type Format, type Outputs, type UartLine } from './line.ts';

/** What a {@link Terminal} does by itself. */
export interface TerminalOptions {
  /** Sends back what comes. */
  readonly echo?: boolean;
  /** Waits while RTS of the UART is off. */
  readonly obeysRts?: boolean;
  /** Told of each character that comes. */
  readonly onCharacter?: (character: Character) => void;
}

/** One character that the terminal is to send: noise may damage it. */
export interface Keystroke {
  readonly value: number;
  readonly damage?: Character['damage'];
}

/**
 * A terminal at the other end of the line, set as the UART is: sends at the pace of the line what it is told, keeps what it
 * gets. An echo, and the hook for tests and for programs that want to stand there.
 */
export class Terminal implements FarEnd {
  /** The characters that came. */
  readonly screen: number[] = [];
  /** Breaks that came. */
  breaks = 0;
  #outputs: Outputs = { dtr: false, rts: false };
  readonly #pins: Pick<ModelPins, 'after'>;
  readonly #uart: UartLine;
  readonly #options: TerminalOptions;
  #typed: Keystroke[] = [];
  #next = 0;
  #sending = false;

  constructor(pins: Pick<ModelPins, 'after'>, uart: UartLine, options: TerminalOptions = {}) {
    this.#pins = pins;
    this.#uart = uart;
    this.#options = options;
  }

  /** What the UART drives. */
  get seen(): Outputs {
    return this.#outputs;
  }

  /** Whether everything was sent. */
  get idle(): boolean {
    return !this.#sending && this.#next === this.#typed.length;
  }

  /** Sends these behind what it is sending. */
  type(keys: Iterable<number | Keystroke>): void {
    for (const key of keys) this.#typed.push(typeof key === 'number' ? { value: key } : key);
    this.#send();
  }

  character(character: Character): void {
    if (this.#options.echo !== true) this.screen.push(character.value);
    else this.type([character.value]);
    this.#options.onCharacter?.(character);
  }

  break(on: boolean): void {
    if (on) this.breaks++;
  }

  outputs(outputs: Outputs): void {
    this.#outputs = outputs;
    this.#send();
  }

  get #mustWait(): boolean {
    return this.#options.obeysRts === true && !this.#outputs.rts;
  }

  #send(): void {
    const key = this.#typed[this.#next];
    if (this.#sending || key === undefined || this.#mustWait) return;
    const { format } = this.#uart;
    if (format.bitUs === 0) return;
    this.#sending = true;
    this.#next++;
    this.#pins.after(characterUs(format), () => this.#sent(key, format));
  }

  #sent({ value, damage }: Keystroke, format: Format): void {
    this.#sending = false;
    if (this.#next === this.#typed.length) {
      this.#typed = [];
      this.#next = 0;
    }
    this.#uart.receive({ value, format, damage });
    this.#send();
  }
}
