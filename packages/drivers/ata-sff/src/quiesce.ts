import type { QuiesceStep } from '@ring3/core';
import { controlLayout, DEVICE_CONTROL } from './registers.ts';

/** The sizes of the control spaces that a device has. */
export interface ControlSizes {
  readonly control0?: number;
  readonly control1?: number;
}

/**
 * What makes the device harmless without the driver: nIEN on each channel. Programmed I/O moves nothing by itself, so no
 * reset is needed, and none is done: a write that was on its way shall not be broken off.
 */
export function quiesceSteps(sizes: ControlSizes): QuiesceStep[] {
  return (['control0', 'control1'] as const).flatMap((space) => {
    const sizeBytes = sizes[space];
    if (sizeBytes === undefined) return [];
    const { offset, width } = controlLayout(sizeBytes).deviceControl;
    return { kind: 'write' as const, space, width, offset, value: DEVICE_CONTROL.nIEN };
  });
}
