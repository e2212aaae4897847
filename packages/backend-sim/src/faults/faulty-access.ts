import { hex, type RegisterAccess, readFifoByWords, type Width, writeFifoByWords } from '@ring3/core';
import type { SimClock } from '../clock/sim-clock.ts';
import { allOnes } from '../machine/model-access.ts';
import type { OccurrenceCounter } from './occurrence.ts';
import type { RegisterFault } from './plan.ts';
import type { FaultTrace } from './trace.ts';

/** A rule that concerns one space, with its memory. */
export interface ActiveRule {
  readonly fault: RegisterFault;
  readonly counter: OccurrenceCounter;
}

/** What the accesses of one device have in common. */
export interface FaultContext {
  readonly clock: SimClock;
  readonly trace: FaultTrace;
  /** Counts accesses, for a removal at the n-th; `undefined` when nobody counts. */
  readonly count: ((accesses: number) => void) | undefined;
  /** Accesses until the removal. */
  readonly left: () => number;
}

type Direction = 'read' | 'write';

/** The bus between driver and device, as faulty as the plan says. It exists only where a plan has rules. */
export class FaultyAccess implements RegisterAccess {
  readonly #space: string;
  readonly #inner: RegisterAccess;
  readonly #rules: readonly ActiveRule[];
  readonly #context: FaultContext;

  constructor(space: string, inner: RegisterAccess, rules: readonly ActiveRule[], context: FaultContext) {
    this.#space = space;
    this.#inner = inner;
    this.#rules = rules;
    this.#context = context;
  }

  read(offset: number, width: Width): number {
    const hits = this.#hits(offset, 'read', width);
    if (hits.length === 0) return this.#inner.read(offset, width);
    this.#stall(hits);
    let value = allOnes(width);
    if (!hits.some((hit) => hit.drop)) {
      if (hits.some((hit) => hit.duplicate)) this.#inner.read(offset, width);
      value = distort(this.#inner.read(offset, width), hits, width);
    }
    this.#note(hits, `read${width} ${this.#space}+${hex(offset)} -> ${hex(value)}`);
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    const hits = this.#hits(offset, 'write', width);
    this.#stall(hits);
    const sent = distort(value, hits, width);
    if (!hits.some((hit) => hit.drop)) {
      this.#inner.write(offset, width, sent);
      if (hits.some((hit) => hit.duplicate)) this.#inner.write(offset, width, sent);
    }
    if (hits.length > 0) this.#note(hits, `write${width} ${this.#space}+${hex(offset)} ${hex(value)} -> ${hex(sent)}`);
  }

  readFifo(offset: number, width: Width, into: Uint8Array): void {
    if (this.#mustGoByWords(offset, 'read', width, into)) readFifoByWords(this, offset, width, into);
    else if (this.#inner.readFifo === undefined) readFifoByWords(this.#inner, offset, width, into);
    else this.#inner.readFifo(offset, width, into);
  }

  writeFifo(offset: number, width: Width, from: Uint8Array): void {
    if (this.#mustGoByWords(offset, 'write', width, from)) writeFifoByWords(this, offset, width, from);
    else if (this.#inner.writeFifo === undefined) writeFifoByWords(this.#inner, offset, width, from);
    else this.#inner.writeFifo(offset, width, from);
  }

  #mustGoByWords(offset: number, direction: Direction, width: Width, data: Uint8Array): boolean {
    const words = data.length / (width / 8);
    if (this.#rules.some(({ fault }) => fits(fault, offset, direction, width))) return true;
    if (this.#context.left() <= words) return true;
    this.#context.count?.(words);
    return false;
  }

  #hits(offset: number, direction: Direction, width: Width): RegisterFault[] {
    this.#context.count?.(1);
    const hits: RegisterFault[] = [];
    for (const { fault, counter } of this.#rules) {
      if (fits(fault, offset, direction, width) && counter.next()) hits.push(fault);
    }
    return hits;
  }

  #stall(hits: readonly RegisterFault[]): void {
    for (const { delayUs } of hits) if (delayUs !== undefined) this.#context.clock.pass(delayUs * 1000);
  }

  #note(hits: readonly RegisterFault[], access: string): void {
    this.#context.trace.add(`${access}: ${hits.map(effectName).join(', ')}`);
  }
}

function fits(fault: RegisterFault, offset: number, direction: Direction, width: Width): boolean {
  if (fault.offset !== undefined && fault.offset !== offset) return false;
  if (fault.access !== undefined && fault.access !== direction) return false;
  return fault.width === undefined || fault.width === width;
}

function distort(value: number, hits: readonly RegisterFault[], width: Width): number {
  let result = value;
  for (const hit of hits) {
    if (hit.value !== undefined) result = hit.value;
    if (hit.stuckBits !== undefined)
      result = (result & ~hit.stuckBits.mask) | (hit.stuckBits.value & hit.stuckBits.mask);
    if (hit.xor !== undefined) result ^= hit.xor;
  }
  return (result & allOnes(width)) >>> 0;
}

function effectName(fault: RegisterFault): string {
  const names = ['drop', 'delayUs', 'duplicate', 'value', 'stuckBits', 'xor'] as const;
  return names.filter((name) => fault[name] !== undefined).join('+');
}
