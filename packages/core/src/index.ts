export {
  type Backend,
  type BackendEnvironment,
  type BackendModule,
  type DeviceClaim,
  type DeviceDescription,
  defineBackend,
  type InterruptResource,
  type OpenDevice,
  type SpaceResource,
} from './backend.ts';
export {
  BLOCK_DEVICE,
  type BlockDevice,
  type BlockDeviceInfo,
  checkBlockRange,
  checkBlocks,
  type WriteOptions,
} from './block-device.ts';
export { type Clock, sleep, type Timer } from './clock.ts';
export {
  DEVICE_ERROR_CODES,
  DeviceError,
  type DeviceErrorCode,
  type DeviceErrorOptions,
  isDeviceError,
} from './device-error.ts';
export type { DmaAllocator, DmaBuffer, DmaConstraints, DmaResource } from './dma.ts';
export { type DmaArena, type DmaLoan, DmaPool } from './dma-pool.ts';
export {
  type Driver,
  type DriverEnvironment,
  defineDriver,
  type Layouts,
  type QuiesceStep,
  type SpaceSizes,
} from './driver.ts';
export { duration, hex } from './format.ts';
export type {
  Interrupt,
  InterruptHandler,
  InterruptLine,
  InterruptSink,
  InterruptStatistics,
  Trigger,
  Verdict,
} from './interrupt.ts';
export { interruptAfter } from './interrupt-after.ts';
export { InterruptSource } from './interrupt-source.ts';
export { Lane } from './lane.ts';
export { type Logger, SILENT } from './log.ts';
export {
  compatible,
  type DeviceIdentity,
  findMatch,
  formatIdentity,
  type MatchRule,
  named,
  pciClass,
  pciId,
} from './match.ts';
export { IoPortSpace, MemoryRegion } from './memory-region.ts';
export {
  type DmaNeed,
  dma,
  type Handles,
  type InterruptNeed,
  type InterruptSelector,
  interrupt,
  memory,
  type Need,
  type Needs,
  type OptionalNeed,
  optional,
  ports,
  type RequiredNeed,
  registers,
  type ServiceNeed,
  type SpaceNeed,
  type SpaceSelector,
  service,
} from './needs.ts';
export type { OptionsSchema, SchemaIssue } from './options-schema.ts';
export { formatPciAddress, formatPciIdentity, type PciAddress, type PciIdentity, parsePciAddress } from './pci.ts';
export { type Poll, pollUntil } from './poll-until.ts';
export { ReceiveQueue } from './receive-queue.ts';
export {
  bigEndian,
  type RegisterAccess,
  type RegisterOp,
  readFifoByWords,
  swapBytes,
  type Width,
  writeFifoByWords,
} from './register-access.ts';
export {
  type Access,
  type BoundRegister,
  type BoundRegisters,
  bindRegisters,
  bit,
  bits,
  describeValue,
  type Field,
  type RegisterDefinition,
  type RegisterLayout,
  readActs,
  readOnly,
  readWrite,
  write1ToClear,
  writeOnly,
} from './register-layout.ts';
export { RegisterSpace } from './register-space.ts';
export { type Claim, ResourceTree } from './resource-tree.ts';
export { type Release, Scope } from './scope.ts';
export {
  bitsPerCharacter,
  checkSerialChange,
  SERIAL_PORT,
  type SerialCallOptions,
  type SerialChange,
  type SerialErrors,
  type SerialInputs,
  type SerialOutputs,
  type SerialPort,
  type SerialPortInfo,
  type SerialSettings,
  type SerialStatus,
} from './serial-port.ts';
export { type PublishedService, type Publisher, type ServiceClass, ServiceDirectory, serviceClass } from './service.ts';
export type { MemoryType, SpaceDescription } from './space-description.ts';
export { SystemClock } from './system-clock.ts';
export { TransmitQueue } from './transmit-queue.ts';
