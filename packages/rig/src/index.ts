export type { AttachedDevice } from './attach-device.ts';
export { claimDevice, holderName } from './claim-device.ts';
export { ClaimTable } from './claim-table.ts';
export {
  type CheckedConfig,
  type CheckedDevice,
  type CheckedExport,
  ConfigError,
  type ConfigSource,
  configSchema,
  formatProblem,
  type Isolation,
  type Problem,
  readConfig,
} from './config/index.ts';
export {
  defineExporter,
  type Exporter,
  type ExporterEnvironment,
  type ExporterModule,
  type RunningExport,
} from './exporter.ts';
export { type Builtins, didYouMean, ModuleLoader, type ModuleLoaderOptions } from './modules/index.ts';
export { quiesceDevice } from './quiesce-device.ts';
export { openCheckedRig, openRig, Rig, type RigDevice, type RigOptions } from './rig.ts';
export { selectSpace } from './select-resource.ts';
export {
  type Bulk,
  ConnectionLostError,
  type ConnectOptions,
  connectServices,
  describeDisk,
  followDisk,
  followSerialPort,
  listenOnSocket,
  ReconnectingDisk,
  type ReconnectingDiskOptions,
  type ReconnectingDiskState,
  ReconnectingSerialPort,
  type ServeOptions,
  type ServiceConnection,
  type ServiceServer,
  type ServiceWire,
  serveServices,
  WIRES,
  type WireCall,
  type WireCaller,
} from './wire/index.ts';
