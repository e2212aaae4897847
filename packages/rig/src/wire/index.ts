export { type ConnectOptions, connectServices, type ServiceConnection } from './connect-services.ts';
export { followDisk } from './follow-disk.ts';
export { followSerialPort } from './follow-serial-port.ts';
export { ReconnectingDisk, type ReconnectingDiskOptions, type ReconnectingDiskState } from './reconnecting-disk.ts';
export { ReconnectingSerialPort } from './reconnecting-serial-port.ts';
export { type ServeOptions, type ServiceServer, serveServices } from './serve-services.ts';
export type { Bulk, ServiceWire, WireCall, WireCaller } from './service-wire.ts';
export { ConnectionLostError } from './wire-error.ts';
export { WIRES } from './wires.ts';
