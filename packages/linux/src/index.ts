export {
  type KernelResource,
  type KernelResources,
  parseResourceFile,
  readKernelResources,
} from './kernel-resources.ts';
export { pageSizeBytes } from './libc.ts';
export { type MapOptions, type MappedRegisters, mappedBytes, mapRegisters, pageSpan } from './map-registers.ts';
export { type LinuxRoots, linuxRoots } from './roots.ts';
export { deviceErrorOf, errnoOf, SystemCallError } from './system-call-error.ts';
