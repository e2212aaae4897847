export {
  type KernelResource,
  type KernelResources,
  parseResourceFile,
  readKernelResources,
} from './kernel-resources.ts';
export { pageSizeBytes } from './libc.ts';
export { type LinuxRoots, linuxRoots } from './roots.ts';
export { deviceErrorOf, errnoOf, SystemCallError } from './system-call-error.ts';
