import type { BlockDevice, PublishedService } from '@ring3/core';
import type { ServiceConnection } from './connect-services.ts';
import type { ReconnectingDisk } from './reconnecting-disk.ts';

/**
 * Connects `disk` to what a device host published, and tells it what becomes of that: disconnected when the connection
 * is lost, withdrawn when the driver itself takes it offline. Call it for every life of the device host.
 * @returns when the disk serves again, or never will over this connection.
 */
export function followDisk(
  disk: ReconnectingDisk,
  connection: ServiceConnection,
  published: PublishedService,
): Promise<void> {
  const proxy = published.service as BlockDevice;
  void connection.closed.then((reason) => disk.disconnect(reason, proxy));
  void published.withdrawn.then((reason) => {
    if (!connection.lost.has(proxy)) disk.withdraw(reason);
  });
  return disk.connect(proxy, connection.generation);
}
