import type { CheckedConfig, CheckedDevice } from '@ring3/rig';

const DEFAULT_STOP_US = 5_000_000;

/** What the end of a process takes beside its driver: the service socket, the clients' last answers. */
export const STOP_GRACE_MS = 1000;

/** How long the driver of a device may take to come to rest. */
export function stopUs({ driver }: CheckedDevice): number {
  return driver.stopTimeoutUs ?? DEFAULT_STOP_US;
}

/** How long it may take to make the device of a driver quiet that died. */
export function quietMs(device: CheckedDevice): number {
  return stopUs(device) / 1000 + STOP_GRACE_MS;
}

/** How long a clean stop may take: the longest time that a driver of the rig declares. */
export function longestStopUs(config: CheckedConfig): number {
  return config.devices.length === 0 ? DEFAULT_STOP_US : Math.max(...config.devices.map(stopUs));
}
