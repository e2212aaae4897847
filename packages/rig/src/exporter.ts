import type { Logger, OptionsSchema, ServiceClass } from '@ring3/core';

/** What an exporter gets from its surroundings. */
export interface ExporterEnvironment {
  readonly log: Logger;
  /** The folder for sockets, made already; relative socket paths of the configuration lie in it. */
  readonly runtimeDirectory: string;
}

/** One service that is being offered to clients outside. */
export interface RunningExport {
  /** Where clients find it: `nbd+unix:///disk0?socket=/run/ring3/demo.sock`. */
  readonly uri: string;
  /** Stops offering it; clients are told the reason as their protocol allows. */
  withdraw(reason: string): Promise<void>;
  /** Counters since the start, for people. */
  readonly statistics: Readonly<Record<string, number>>;
}

/** One instance per process and type: holds the servers that several exports may share. */
export interface Exporter<Options = unknown> {
  /** Starts to offer `service`. @throws DeviceError `busy` when the address or the name is in use. */
  start(service: unknown, serviceName: string, options: Options): Promise<RunningExport>;
  /** Takes no new clients and requests, answers what is under way; says through `waiting` what it waits for. */
  drain(timeoutUs: number, waiting: (what: string) => void): Promise<void>;
  /** Ends all connections and removes the sockets. */
  close(): Promise<void>;
}

/** How the configuration makes an exporter: one entry of `exports:` names the type and the service. */
export interface ExporterModule<Options = unknown> {
  /** `type:` in the configuration. */
  readonly type: string;
  /** The class of services that it can offer. */
  readonly serviceClass: ServiceClass<unknown>;
  /** What else the entry may contain; `type` and `service` are taken out before. */
  readonly options: OptionsSchema<Options>;
  create(environment: ExporterEnvironment): Exporter<Options>;
}

/** Declares an exporter; checks the types, changes nothing. */
export function defineExporter<Options>(module: ExporterModule<Options>): ExporterModule<Options> {
  return module;
}
