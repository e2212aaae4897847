export { DevmemBackend, type DevmemOptions, devmemBackend, devmemBackend as default } from './backend.ts';
export type {
  AddressSelector,
  DevmemSelector,
  MemorySelector,
  PhysicalAddress,
  PolledInterruptSelector,
  PortSelector,
  ResourceSelector,
} from './selector.ts';
