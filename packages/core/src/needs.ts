import type { DmaAllocator } from './dma.ts';
import type { InterruptSource } from './interrupt-source.ts';
import type { IoPortSpace, MemoryRegion } from './memory-region.ts';
import type { RegisterSpace } from './register-space.ts';
import type { ServiceClass } from './service.ts';

/** How a need finds its resource: by BAR on PCI, by name elsewhere; both where a device exists on both. */
export interface SpaceSelector {
  readonly bar?: number;
  readonly name?: string;
}

/** How a need finds its interrupt. Default: index 0. */
export interface InterruptSelector {
  readonly index?: number;
  readonly name?: string;
}

/** A need for registers. */
export interface SpaceNeed<H extends RegisterSpace = RegisterSpace> {
  readonly need: 'space';
  readonly kind: 'memory' | 'port' | 'any';
  readonly selector: SpaceSelector;
  /** The smallest size that will do. */
  readonly minimumBytes: number;
  readonly handle?: H;
}

/** A need for an interrupt. */
export interface InterruptNeed {
  readonly need: 'interrupt';
  readonly selector: InterruptSelector;
  readonly handle?: InterruptSource;
}

/** A need for memory that the device reaches by itself. */
export interface DmaNeed {
  readonly need: 'dma';
  readonly handle?: DmaAllocator;
}

/** A need for a service of another driver. */
export interface ServiceNeed<T = unknown> {
  readonly need: 'service';
  readonly serviceClass: ServiceClass<T>;
  readonly handle?: T;
}

/** A need that a device may leave unmet; its handle is `undefined` then. */
export interface OptionalNeed<N extends RequiredNeed = RequiredNeed> {
  readonly need: 'optional';
  readonly inner: N;
}

/** A need that must be met before `attach` is called. */
export type RequiredNeed = SpaceNeed | InterruptNeed | DmaNeed | ServiceNeed;

/** One line of a driver's manifest. */
export type Need = RequiredNeed | OptionalNeed;

/** A driver's manifest: handle names and what stands behind them. */
export type Needs = Readonly<Record<string, Need>>;

/** What a driver receives: exactly the handles that its manifest names. */
export type Handles<N extends Needs> = {
  readonly [Name in keyof N]: N[Name] extends OptionalNeed<infer Inner>
    ? HandleOf<Inner> | undefined
    : HandleOf<N[Name]>;
};

type HandleOf<N> = N extends { readonly handle?: infer H } ? NonNullable<H> : never;

/** Registers on whatever bus the device has: memory or ports. */
export function registers(selector: SpaceSelector, minimumBytes = 1): SpaceNeed<RegisterSpace> {
  return { need: 'space', kind: 'any', selector, minimumBytes };
}

/** Registers in memory. */
export function memory(selector: SpaceSelector, minimumBytes = 1): SpaceNeed<MemoryRegion> {
  return { need: 'space', kind: 'memory', selector, minimumBytes };
}

/** Registers in x86 I/O ports. */
export function ports(selector: SpaceSelector, minimumBytes = 1): SpaceNeed<IoPortSpace> {
  return { need: 'space', kind: 'port', selector, minimumBytes };
}

/** An interrupt. */
export function interrupt(selector: InterruptSelector = {}): InterruptNeed {
  return { need: 'interrupt', selector };
}

/** Memory that the device reaches by itself; the device is allowed to be a bus master with it. */
export function dma(): DmaNeed {
  return { need: 'dma' };
}

/** A service that another driver provides; the configuration says which one. */
export function service<T>(serviceClass: ServiceClass<T>): ServiceNeed<T> {
  return { need: 'service', serviceClass };
}

/** A need that may be left unmet. */
export function optional<const N extends RequiredNeed>(inner: N): OptionalNeed<N> {
  return { need: 'optional', inner };
}
