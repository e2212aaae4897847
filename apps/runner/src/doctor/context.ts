import type { DeviceDescription } from '@ring3/core';
import type { HeldClaim, LinuxRoots } from '@ring3/linux';
import type { Facts } from './facts.ts';
import type { Complaint, Finding, Level } from './finding.ts';

/** A device of the configuration, as far as it could be made out. */
export interface ExaminedDevice {
  readonly name: string;
  /** `type:` of its backend. */
  readonly backend: string | undefined;
  /** The `backend:` section as it was written. */
  readonly section: Readonly<Record<string, unknown>>;
  /** Missing where the backend could not describe it. */
  readonly description: DeviceDescription | undefined;
  /** What is wrong with its part of the configuration, and what the backend said. */
  readonly problems: readonly string[];
}

/** What the checks look at. */
export interface DoctorContext {
  readonly roots: Required<LinuxRoots>;
  readonly facts: Facts;
  readonly devices: readonly ExaminedDevice[];
  /** Who holds devices of this machine now. */
  readonly claims: readonly HeldClaim[];
  /** Why that is not known; `undefined` when it is. */
  readonly claimsError: string | undefined;
}

/** One check: reads files, changes nothing. */
export type Check = (context: DoctorContext) => readonly Finding[];

/** A way to hardware that some devices take and others do not. */
export type Door = 'uio' | 'devmem' | 'ports';

/** Whether a device of the configuration goes this way. */
export function isNeeded(door: Door, { devices }: DoctorContext): boolean {
  return devices.some(({ backend, section }) => {
    if (door === 'uio') return backend === 'uio';
    return backend === 'devmem' && hasEntries(section[door === 'ports' ? 'ports' : 'memory']);
  });
}

/** What is missing on a way to hardware blocks those who need it, and may not matter to others. */
export function complain(door: Door | undefined, context: DoctorContext, complaint: Complaint): Finding {
  const level: Level = door === undefined || isNeeded(door, context) ? 'problem' : 'warning';
  return { level, ...complaint };
}

function hasEntries(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}
