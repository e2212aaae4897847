import type { Width } from '@ring3/core';

/** Which accesses a rule is for; what is left out fits all. */
export interface AccessMatch {
  readonly space?: string | undefined;
  readonly offset?: number | undefined;
  readonly access?: 'read' | 'write' | undefined;
  readonly width?: Width | undefined;
}

/** Which of the fitting ones it hits; counted from 1. With none of these: every one. */
export interface Occurrence {
  readonly nth?: number | undefined;
  readonly every?: number | undefined;
  /** 0 to 1, drawn from the seed of the plan. */
  readonly probability?: number | undefined;
}

/** What happens to an access that is hit. Several are applied in the order in which they stand here. */
export interface AccessEffect {
  /** The bus loses it: a write vanishes, a read is never seen by the device and reads all ones. */
  readonly drop?: true | undefined;
  /** The bus stalls before the access. */
  readonly delayUs?: number | undefined;
  /** The device sees it twice; a read returns what the second one saw. */
  readonly duplicate?: true | undefined;
  /** The value is replaced, on its way to the device or back. */
  readonly value?: number | undefined;
  /** The bits of `mask` are stuck at those of `value`. */
  readonly stuckBits?: { readonly mask: number; readonly value: number } | undefined;
  /** These bits are inverted. */
  readonly xor?: number | undefined;
}

/** A fault of the bus between driver and device. */
export type RegisterFault = AccessMatch & Occurrence & AccessEffect;

/** A fault of an interrupt line. */
export interface InterruptFault extends Occurrence {
  /** Index of the interrupt in the description. Default 0. */
  readonly index?: number | undefined;
  /** The event never arrives. */
  readonly lose?: true | undefined;
  /** The event arrives later. */
  readonly delayUs?: number | undefined;
  /** The event arrives twice. */
  readonly duplicate?: true | undefined;
}

/** A fault of a transfer that the device makes by itself; a transfer is what the model moves at once. */
export interface DmaFault extends Occurrence {
  /** As the device sees it: `read` from memory, `write` to memory. Default both. */
  readonly direction?: 'read' | 'write' | undefined;
  /** The bus stalls before the transfer. */
  readonly delayUs?: number | undefined;
  /** Nobody answers, and the device is told so. */
  readonly abort?: true | undefined;
  /** The device takes it for done: a write vanishes, a read gives all ones. */
  readonly lose?: true | undefined;
  /** A write reaches memory only with the next transfer; a read gives what the read before it brought. */
  readonly stale?: true | undefined;
  /** These bits of the first byte are inverted. */
  readonly xor?: number | undefined;
}

/** Events that the device did not cause. */
export interface SpuriousInterrupt {
  readonly index?: number | undefined;
  readonly atUs: number;
  /** Repeats it with this period. */
  readonly everyUs?: number | undefined;
  /** How many in all; default 1, or without end when there is a period. */
  readonly times?: number | undefined;
}

/** What shall go wrong with one device, as data. */
export interface FaultPlan {
  readonly registers?: readonly RegisterFault[] | undefined;
  readonly interrupts?: readonly InterruptFault[] | undefined;
  readonly dma?: readonly DmaFault[] | undefined;
  readonly spurious?: readonly SpuriousInterrupt[] | undefined;
  /** The device is pulled out: all ones from then on, writes vanish. Times count from switching it on. */
  readonly removal?: { readonly atUs?: number | undefined; readonly atAccess?: number | undefined } | undefined;
  /** The power goes. */
  readonly powerCut?: { readonly atUs: number } | undefined;
}
