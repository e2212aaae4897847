export { BACKEND_CASES, backendConformance } from './backend-conformance.ts';
export {
  type BackendAbility,
  type BackendCase,
  type BackendFixture,
  type BackendHarness,
  type EdgeInterrupt,
  type LevelInterrupt,
  type MessageInterrupt,
  type Place,
  readAt,
  type Spaces,
  writeAt,
} from './backend-harness.ts';
export { blockDeviceCases, blockDeviceConformance } from './block-device-conformance.ts';
export type {
  BlockDeviceAbility,
  BlockDeviceCase,
  BlockDeviceFixture,
  BlockDeviceHarness,
} from './block-device-harness.ts';
export { BlockTraffic } from './block-traffic.ts';
export { type BlockLaw, BrokenLaw } from './broken-law.ts';
export { type ConformanceCase, type ConformanceHarness, runCase } from './conformance.ts';
export { DMA_CASES, type DmaAbility, type DmaFixture, type DmaHarness, dmaConformance } from './dma-conformance.ts';
export { type FaultRuns, faultRuns, shareOf } from './fault-runs.ts';
export { ManualClock } from './manual-clock.ts';
export { MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts';
export { MemorySerialPort, serialCable } from './memory-serial.ts';
export { needsTools, type Tools, toolsMissing } from './require-tool.ts';
export { pick, type Random, seededRandom } from './seeded-random.ts';
export { SERIAL_PORT_CASES, serialPortConformance } from './serial-port-conformance.ts';
export type {
  SerialPortAbility,
  SerialPortCase,
  SerialPortFixture,
  SerialPortHarness,
} from './serial-port-harness.ts';
export { expectSameBytes, readExactly, serialPattern, statusNow, statusWhere } from './serial-traffic.ts';
export { type Watched, type WatchedRead, WriteOracle, type WriteOracleOptions } from './write-oracle.ts';
