import process from 'node:process';

/** Where the kernel's file systems are: a test gives folders of its own. */
export interface LinuxRoots {
  /** Default `/sys`. */
  readonly sys?: string;
  /** Default `/proc`. */
  readonly proc?: string;
  /** Default `/dev`. */
  readonly dev?: string;
}

/**
 * Fills in where the kernel's file systems are on a real machine, or below the folder that the environment variable
 * `RING3_ROOTS` names: so a test of a whole program gives it another machine.
 */
export function linuxRoots(roots: LinuxRoots = {}): Required<LinuxRoots> {
  const root = process.env['RING3_ROOTS'] ?? '';
  const { sys = `${root}/sys`, proc = `${root}/proc`, dev = `${root}/dev` } = roots;
  return { sys, proc, dev };
}
