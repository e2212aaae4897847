export { SimBackend, type SimSelector, simBackend, simBackend as default } from './backend.ts';
export { type Pace, SimClock } from './clock/sim-clock.ts';
export { StuckError } from './clock/stuck.ts';
export type {
  AccessEffect,
  AccessMatch,
  DmaFault,
  FaultPlan,
  InterruptFault,
  Occurrence,
  RegisterFault,
  SpuriousInterrupt,
} from './faults/plan.ts';
export { FAULT_PLAN } from './faults/schema.ts';
export { FaultTrace, type InjectedFault } from './faults/trace.ts';
export { type LineStatistics, SimulatedLine } from './interrupts/simulated-line.ts';
export type { AttachedDevice } from './machine/attached-device.ts';
export { PciConfigSpace } from './machine/pci-config-space.ts';
export { type MachineTiming, type PlugIn, SimulatedMachine } from './machine/simulated-machine.ts';
export { type MemoryOptions, SystemMemory } from './machine/system-memory.ts';
export { type SimulateOptions, type Simulation, simulate } from './simulate.ts';
export { SimulatedDevice } from './simulated-device.ts';
