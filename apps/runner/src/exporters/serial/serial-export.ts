import type { SerialCounts } from './conversation.ts';

/** One way of serving a serial port. */
export interface SerialExport {
  readonly uri: string;
  readonly counts: SerialCounts;
  /** Takes nothing more from clients; resolves when what was taken has been sent. */
  finish(): Promise<void>;
  /** Cuts clients off and removes what they connect to. */
  close(): Promise<void>;
}
