/** One answer of QEMU: the words after `OK` for people, the value in two halves for registers. */
export interface Answer {
  readonly ok: boolean;
  readonly low: number;
  readonly high: number;
  /** Where the text of the line lies in `buffer`. */
  readonly start: number;
  readonly end: number;
}

const LINE_FEED = 0x0a;
const LETTER_I = 0x49;
const LETTER_O = 0x4f;
/** `OK 0x`. */
const VALUE_AT = 5;
/** `IRQ `. */
const EVENT_AT = 4;

/**
 * Finds lines in what QEMU sends: answers, and `IRQ raise 14` between them. Strings are made for neither: a disk sector is
 * 256 answers. Source: QEMU, softmmu/qtest.c.
 */
export class AnswerReader {
  /** What was received lies here; grows for long answers. */
  buffer = Buffer.allocUnsafe(0x1_0000);
  #start = 0;
  #end = 0;
  readonly #irq: (line: number, level: boolean) => void;

  constructor(irq: (line: number, level: boolean) => void) {
    this.#irq = irq;
  }

  /** Where the next bytes belong; `received` says how many they were. */
  room(): Buffer {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    } else if (this.#end === this.buffer.length) {
      const rest = this.buffer.subarray(this.#start, this.#end);
      const target = rest.length * 2 > this.buffer.length ? Buffer.allocUnsafe(this.buffer.length * 2) : this.buffer;
      rest.copy(target);
      this.buffer = target;
      this.#start = 0;
      this.#end = rest.length;
    }
    return this.buffer.subarray(this.#end);
  }

  received(bytes: number): void {
    this.#end += bytes;
  }

  /** The next answer; `undefined` when its end has not come yet. Interrupts before it are reported. */
  next(): Answer | undefined {
    while (this.#start < this.#end) {
      const found = this.buffer.indexOf(LINE_FEED, this.#start);
      if (found === -1 || found >= this.#end) return undefined;
      const start = this.#start;
      this.#start = found + 1;
      if (this.buffer[start] !== LETTER_I) return this.#answer(start, found);
      this.#event(start, found);
    }
    return undefined;
  }

  #answer(start: number, end: number): Answer {
    const ok = this.buffer[start] === LETTER_O;
    const digits = end - start - VALUE_AT;
    const middle = Math.max(start + VALUE_AT, end - 8);
    const high = digits > 8 && digits <= 16 ? this.#number(start + VALUE_AT, middle) : 0;
    return { ok, high, low: digits > 0 ? this.#number(middle, end) : 0, start, end };
  }

  #number(from: number, to: number): number {
    let value = 0;
    for (let at = from; at < to; at++) {
      const character = this.buffer[at] as number;
      value = (value << 4) | (character <= 0x39 ? character & 0x0f : (character & 0x07) + 9);
    }
    return value >>> 0;
  }

  /** `IRQ raise 14`, `IRQ lower 14`. */
  #event(start: number, end: number): void {
    const [word, line] = this.buffer.toString('latin1', start + EVENT_AT, end).split(' ');
    this.#irq(Number(line), word === 'raise');
  }
}
