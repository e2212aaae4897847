import {
  claimMachine,
  type MapOptions,
  type MappedRegisters,
  mapRegisters,
  openHugePages,
  openPorts,
  pageSizeBytes,
  portFileAccess,
} from '@ring3/linux';
import { type OpenUioEvents, openUioEvents } from './interrupts/uio-events.ts';

/** What this backend asks of the kernel beyond files; tests replace parts. */
export interface Native {
  readonly pageBytes: () => number;
  readonly map: (options: MapOptions) => MappedRegisters;
  readonly openPorts: typeof openPorts;
  readonly portFile: typeof portFileAccess;
  readonly openEvents: OpenUioEvents;
  readonly hugePages: typeof openHugePages;
  readonly claim: typeof claimMachine;
  /** How often an open device is looked for. */
  readonly lookMs: number;
}

/** The kernel of this machine. */
export const NATIVE: Native = {
  pageBytes: pageSizeBytes,
  map: mapRegisters,
  openPorts,
  portFile: portFileAccess,
  openEvents: openUioEvents,
  hugePages: openHugePages,
  claim: claimMachine,
  lookMs: 500,
};
