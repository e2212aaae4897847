/** One export as the screen and other processes see it. */
export interface ExportSummary {
  /** `device/service`. */
  readonly service: string;
  readonly uri: string;
  /** What it is, in words: `16 MiB, ring3 simulated disk`. */
  readonly what: string;
  readonly simulated: boolean;
}

/** One device as the screen sees it. */
export interface DeviceSummary {
  readonly name: string;
  readonly driver: string;
  readonly backend: string;
  readonly state: 'running' | 'restarting' | 'gone';
  /** Where its registers and interrupts are: `I/O ports 0x1f0-0x1f7, 0x3f6; IRQ 14`. */
  readonly where: string;
  readonly simulated: boolean;
  /** `device host 1234`, where it has a process of its own. */
  readonly process?: string;
}

/** What the start of a rig is told, and tells. */
export interface StartOptions {
  /** Aborted when the rig shall not start after all: what has started is stopped, and the start fails. */
  readonly signal: AbortSignal;
  /** Is told what takes its time. */
  readonly waiting: (what: string) => void;
}

/** A rig that serves, in one process or in several. */
export interface RunningRig {
  devices(): readonly DeviceSummary[];
  exports(): readonly ExportSummary[];
  /** Settles when it cannot go on: rejects with the reason. Pending while all is well. */
  readonly failed: Promise<never>;
  /**
   * Takes no new requests, answers what is under way, flushes, releases everything.
   * @param waiting is told what takes its time.
   * @throws DeviceError when a driver did not come to rest; everything else has been stopped then.
   */
  stop(waiting: (what: string) => void): Promise<void>;
  /** Stops with less patience: connections are cut, but no command is torn. */
  hurry(): void;
}
