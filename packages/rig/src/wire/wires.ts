import { blockDeviceWire } from './block-device-wire.ts';
import { serialPortWire } from './serial-port-wire.ts';
import type { ServiceWire } from './service-wire.ts';

/** Every class of services that this package can carry between processes. */
export const WIRES: readonly ServiceWire<unknown>[] = [blockDeviceWire, serialPortWire];
