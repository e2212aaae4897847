/** What stopped a virtual machine from starting or from finishing, in words for the person who asked for it. */
export class VmError extends Error {
  override readonly name = 'VmError';
  /** The command line is wrong, and nothing was started. */
  readonly wrongUsage: boolean;
  /** The signal that ended the wait. */
  readonly signal: NodeJS.Signals | undefined;

  constructor(message: string, options: { cause?: unknown; wrongUsage?: boolean; signal?: NodeJS.Signals } = {}) {
    super(message, options);
    this.wrongUsage = options.wrongUsage ?? false;
    this.signal = options.signal;
  }
}
