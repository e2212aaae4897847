import type { CheckedConfig } from '@ring3/rig';

const DEFAULT_STOP_US = 5_000_000;

/** How long a clean stop may take: the longest time that a driver of the rig declares. */
export function longestStopUs(config: CheckedConfig): number {
  return Math.max(DEFAULT_STOP_US, ...config.devices.map((device) => device.driver.stopTimeoutUs ?? DEFAULT_STOP_US));
}
