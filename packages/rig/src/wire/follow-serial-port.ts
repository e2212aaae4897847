import type { PublishedService, SerialPort } from '@ring3/core';
import type { ServiceConnection } from './connect-services.ts';
import type { ReconnectingSerialPort } from './reconnecting-serial-port.ts';

/**
 * Connects `port` to what a device host published, and tells it what becomes of that: disconnected when the connection
 * is lost, withdrawn when the driver itself takes it away. Call it for every life of the device host.
 * @returns when the port serves again, or never will over this connection.
 */
export function followSerialPort(
  port: ReconnectingSerialPort,
  connection: ServiceConnection,
  published: PublishedService,
): Promise<void> {
  const proxy = published.service as SerialPort;
  void connection.closed.then((reason) => port.disconnect(reason, proxy));
  void published.withdrawn.then((reason) => {
    if (!connection.lost.has(proxy)) port.withdraw(reason);
  });
  return port.connect(proxy);
}
