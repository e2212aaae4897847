import type { DeviceErrorCode } from '@ring3/core';
import type { ConfigSource } from '../config-source.ts';
import type { ExportSummary } from '../running-rig.ts';

// What the supervisor and its children say to each other over Node's fork channel. Small and rare: data never goes here.

/** To a device host or to the front. */
export type ToChild =
  | {
      readonly kind: 'start-host';
      readonly config: ConfigSource;
      readonly device: string;
      readonly generation: number;
      readonly socket: string;
    }
  /**
   * To a device host instead of `start-host`: the driver has died, make its device quiet and end. `ready` is told before
   * the device is opened.
   */
  | { readonly kind: 'quiesce'; readonly config: ConfigSource; readonly device: string }
  | { readonly kind: 'start-front'; readonly config: ConfigSource; readonly runtimeDirectory: string }
  | { readonly kind: 'connect'; readonly device: string; readonly generation: number; readonly socket: string }
  | { readonly kind: 'stop' }
  | { readonly kind: 'hurry' };

/** From a device host or from the front. */
export type FromChild =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: DeviceErrorCode | undefined; readonly message: string }
  /** The driver was stopped in order: nobody else has to make the device quiet. */
  | { readonly kind: 'at-rest' }
  | { readonly kind: 'connected'; readonly device: string; readonly services: readonly string[] }
  | { readonly kind: 'exported'; readonly export: ExportSummary }
  | { readonly kind: 'withdrawn'; readonly service: string; readonly reason: string }
  | { readonly kind: 'gone'; readonly reason: string }
  | { readonly kind: 'waiting'; readonly what: string };
