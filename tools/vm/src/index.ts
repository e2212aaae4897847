export type { Devices } from './devices.ts';
export type { GuestFile, GuestReport, GuestTest } from './guest-report.ts';
export { type GuestSuite, type GuestSuiteEnd, runGuestSuite } from './guest-suite.ts';
export { type RunOptions, type RunResult, runInVm } from './run.ts';
export { VmError } from './vm-error.ts';
export type { WireCount } from './wire.ts';
