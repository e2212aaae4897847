export type { AttachedDevice } from './attach-device.ts';
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
export { type Builtins, ModuleLoader, type ModuleLoaderOptions } from './modules/index.ts';
export { openCheckedRig, openRig, Rig, type RigDevice, type RigOptions } from './rig.ts';
export {
  connectServices,
  followDisk,
  ReconnectingDisk,
  type ServiceConnection,
  type ServiceServer,
  type ServiceWire,
  serveServices,
  WIRES,
} from './wire/index.ts';
