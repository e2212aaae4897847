/** Where the kernel's file systems are: a test gives folders of its own. */
export interface LinuxRoots {
  /** Default `/sys`. */
  readonly sys?: string;
  /** Default `/proc`. */
  readonly proc?: string;
  /** Default `/dev`. */
  readonly dev?: string;
}

/** Fills in where the kernel's file systems are on a real machine. */
export function linuxRoots({ sys = '/sys', proc = '/proc', dev = '/dev' }: LinuxRoots = {}): Required<LinuxRoots> {
  return { sys, proc, dev };
}
