export type { DrainOptions } from './drain-connections.ts';
export { ERRNO_OF_DEVICE_ERROR, type NbdErrno } from './errno.ts';
export type { ExportOptions, ExportStatistics } from './exported-disk.ts';
export { DEFAULT_LIMITS, type NbdLimits } from './limits.ts';
export type { TcpAddress } from './listen-tcp.ts';
export type { UnixAddress } from './listen-unix.ts';
export { type NbdAddress, type NbdExport, NbdServer, type NbdServerOptions, type NbdStatistics } from './nbd-server.ts';
