export { guestDevices, machinePool } from './pool.ts';
export { type RunOptions, type RunResult, runInVm } from './run.ts';
export { VmError } from './vm-error.ts';
