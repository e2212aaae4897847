export { UioBackend, type UioBackendOptions, uioBackend, uioBackend as default } from './backend.ts';
export { type ApplyOptions, applyBinding, type BindingResult } from './binding/apply-binding.ts';
export {
  type BindingOptions,
  type BindingPlan,
  type BindingStep,
  formatStep,
  planBinding,
} from './binding/plan-binding.ts';
export type { DmaSettings } from './dma-memory.ts';
export type { OpenUioEvents, UioEvents } from './interrupts/uio-events.ts';
export type { Native } from './native.ts';
export { PciConfigSpace } from './pci-config-space.ts';
export { type SpaceHints, UIO_SELECTOR, type UioSelect, type UioSelector } from './selector.ts';
export { UioDevice } from './uio-device.ts';
