import type { Clock, Logger, OpenDevice, Publisher, Scope } from '@ring3/core';
import type { InjectionToken } from 'tsyringe';

// The typed tokens of a device's container. `Symbol() as InjectionToken<X>` keeps the type, an annotation loses it.

/** The opened device: a promise, since opening takes time; resolved at most once. */
export const OPEN_DEVICE = Symbol('open device') as InjectionToken<Promise<OpenDevice>>;
/** The clock of the time that the device lives in. */
export const CLOCK = Symbol('clock') as InjectionToken<Promise<Clock>>;
export const LOG = Symbol('log') as InjectionToken<Logger>;
/** Where the driver publishes. */
export const SERVICES = Symbol('services') as InjectionToken<Publisher>;
/** Everything that belongs to the device and outlives its driver: mappings, lines, claims. */
export const DEVICE_SCOPE = Symbol('device scope') as InjectionToken<Scope>;

const handleTokens = new Map<string, symbol>();

/** The token of a handle of the manifest, by its name there. */
export function handleToken(name: string): InjectionToken<unknown> {
  let token = handleTokens.get(name);
  if (token === undefined) {
    token = Symbol(`handle ${name}`);
    handleTokens.set(name, token);
  }
  return token;
}
