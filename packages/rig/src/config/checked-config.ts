import type { Backend, BackendModule, DeviceDescription, Driver } from '@ring3/core';
import type { ExporterModule } from '../exporter.ts';
import type { Problem } from './problem.ts';

/** `inline`: everything in this process. `process`: a device host per device. */
export type Isolation = 'inline' | 'process';

/** One device of a configuration that was found right. */
export interface CheckedDevice {
  readonly name: string;
  readonly driver: Driver;
  /** `options:` as the driver's schema returned it: defaults are filled in. */
  readonly driverOptions: unknown;
  /** `type:` of the backend; key of {@link CheckedConfig.backends}. */
  readonly backendType: string;
  readonly backendModule: BackendModule;
  readonly backend: Backend;
  /** What `Backend.describe` and `Backend.open` take; the device model is filled in. */
  readonly selector: unknown;
  /** What the backend says of the device; nothing was touched for it. */
  readonly description: DeviceDescription;
  /** By the name of the need: the service behind it, as `device/service`. */
  readonly services: Readonly<Record<string, string>>;
  /** The section as it was written: plain data. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** One entry of `exports:` that was found right. */
export interface CheckedExport {
  readonly type: string;
  readonly module: ExporterModule;
  /** `device/service`; whether it appears is known only when the driver runs. */
  readonly service: string;
  /** The device of {@link service}. */
  readonly device: string;
  /** What the exporter's schema returned. */
  readonly options: unknown;
}

/** A configuration without problems: everything that it names exists and fits together. */
export interface CheckedConfig {
  /** As it was given to `readConfig`; missing for an object. */
  readonly file?: string;
  /** Relative paths of the configuration start here. */
  readonly folder: string;
  /** `name:`, or the name of the file. */
  readonly name: string;
  readonly isolation: Isolation;
  readonly runtimeDirectory?: string;
  /** In the order to start them: whoever offers a service comes before its users. */
  readonly devices: readonly CheckedDevice[];
  readonly exports: readonly CheckedExport[];
  /** One instance per type, by `type:`. Who called `readConfig` closes them. */
  readonly backends: ReadonlyMap<string, Backend>;
  /** What is allowed, and yet looks like a mistake. */
  readonly warnings: readonly Problem[];
}
