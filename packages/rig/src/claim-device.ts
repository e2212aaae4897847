import type { DeviceClaim } from '@ring3/core';
import type { CheckedConfig, CheckedDevice } from './config/checked-config.ts';

/** Who is named to those who want the device of somebody else: `demo.yaml: ata0`. */
export function holderName({ file, name }: Pick<CheckedConfig, 'file' | 'name'>, device: CheckedDevice): string {
  return `${file ?? name}: ${device.name}`;
}

/**
 * Claims a device against every other process of the machine; `undefined` where no other process can reach it, as in a
 * simulation.
 * @throws DeviceError `busy` that names the holder.
 */
export async function claimDevice(device: CheckedDevice, holder: string): Promise<DeviceClaim | undefined> {
  return device.backend.claim?.(device.selector, holder);
}
