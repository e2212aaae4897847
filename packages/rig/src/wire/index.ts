export { type ConnectOptions, connectServices, type ServiceConnection } from './connect-services.ts';
export { followDisk } from './follow-disk.ts';
export { ReconnectingDisk, type ReconnectingDiskOptions, type ReconnectingDiskState } from './reconnecting-disk.ts';
export { type ServeOptions, type ServiceServer, serveServices } from './serve-services.ts';
export type { Bulk, ServiceWire, WireCall, WireCaller } from './service-wire.ts';
export { ConnectionLostError } from './wire-error.ts';
export { WIRES } from './wires.ts';
