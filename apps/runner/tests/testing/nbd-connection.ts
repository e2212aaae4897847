import { NbdDisk, RawClient } from '@ring3/nbd/testing';

/** A disk at the other end of an NBD connection. */
export async function connectDisk(socket: string, name = 'disk'): Promise<{ disk: NbdDisk; client: RawClient }> {
  const client = await RawClient.connect({ path: socket });
  const { sizeBytes } = await client.enter({ name });
  const disk = new NbdDisk(client, {
    model: '',
    serial: '',
    blockSizeBytes: 512,
    blockCount: sizeBytes / 512,
    readOnly: false,
    maxTransferBlocks: 2048,
    volatileCache: true,
    simulated: true,
  });
  return { disk, client };
}
