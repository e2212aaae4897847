export { TracePipe } from './access-trace.ts';
export { bundleProgram } from './bundle.ts';
export { guestDevices, machinePool } from './pool.ts';
export { cacheFolder, type RunOptions, type RunResult, runInVm } from './run.ts';
export { VmError } from './vm-error.ts';
