import { hex } from '@ring3/core';
import type { SimClock } from '../clock/sim-clock.ts';
import type { MemoryPort } from '../model/device-model.ts';
import type { OccurrenceCounter } from './occurrence.ts';
import type { DmaFault } from './plan.ts';
import type { FaultTrace } from './trace.ts';

/** A write that a bridge on the way still has. */
interface PostedWrite {
  readonly busAddress: bigint;
  readonly bytes: Uint8Array;
}

/** The way between a bus master and memory, as faulty as the plan says. It exists only where a plan has rules. */
export class FaultyMemory implements MemoryPort {
  readonly #inner: MemoryPort;
  readonly #rules: readonly { readonly fault: DmaFault; readonly counter: OccurrenceCounter }[];
  readonly #clock: SimClock;
  readonly #trace: FaultTrace;
  /** What a stale read gives: the bytes of the read before it. */
  #lastRead = new Uint8Array(0);
  #posted: PostedWrite | undefined;

  constructor(
    inner: MemoryPort,
    rules: readonly { readonly fault: DmaFault; readonly counter: OccurrenceCounter }[],
    { clock, trace }: { readonly clock: SimClock; readonly trace: FaultTrace },
  ) {
    this.#inner = inner;
    this.#rules = rules;
    this.#clock = clock;
    this.#trace = trace;
  }

  read(busAddress: bigint, into: Uint8Array): boolean {
    const hits = this.#hits('read', busAddress, into.length);
    this.#deliver();
    const found = this.#inner.read(busAddress, into);
    if (hits.some((hit) => hit.abort)) {
      into.fill(0xff);
      return false;
    }
    const previous = this.#lastRead;
    this.#lastRead = into.slice();
    if (hits.some((hit) => hit.stale)) repeat(previous, into);
    if (hits.some((hit) => hit.lose)) into.fill(0xff);
    flip(hits, into);
    return found;
  }

  write(busAddress: bigint, from: Uint8Array): boolean {
    const hits = this.#hits('write', busAddress, from.length);
    this.#deliver();
    if (hits.some((hit) => hit.abort)) return false;
    if (hits.some((hit) => hit.lose)) return true;
    const bytes = hits.some((hit) => hit.xor !== undefined) ? from.slice() : from;
    flip(hits, bytes);
    if (!hits.some((hit) => hit.stale)) return this.#inner.write(busAddress, bytes);
    this.#posted = { busAddress, bytes: bytes.slice() };
    return true;
  }

  /** What was held back arrives with the next transfer. */
  #deliver(): void {
    const posted = this.#posted;
    this.#posted = undefined;
    if (posted !== undefined) this.#inner.write(posted.busAddress, posted.bytes);
  }

  #hits(direction: 'read' | 'write', busAddress: bigint, lengthBytes: number): DmaFault[] {
    const hits: DmaFault[] = [];
    for (const { fault, counter } of this.#rules) {
      if ((fault.direction ?? direction) === direction && counter.next()) hits.push(fault);
    }
    for (const { delayUs } of hits) if (delayUs !== undefined) this.#clock.pass(delayUs * 1000);
    if (hits.length > 0) {
      const where = `transfer ${direction} ${hex(busAddress)}, ${lengthBytes} bytes`;
      this.#trace.add(`${where}: ${hits.map(effectName).join(', ')}`);
    }
    return hits;
  }
}

function flip(hits: readonly DmaFault[], bytes: Uint8Array): void {
  for (const { xor } of hits) if (xor !== undefined) bytes[0] = (bytes[0] ?? 0) ^ xor;
}

function repeat(bytes: Uint8Array, into: Uint8Array): void {
  for (let at = 0; at < into.length; at++) into[at] = bytes[at % bytes.length] ?? 0;
}

function effectName(fault: DmaFault): string {
  return (['delayUs', 'abort', 'lose', 'stale', 'xor'] as const).filter((name) => fault[name] !== undefined).join('+');
}
