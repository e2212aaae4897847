import { type DmaAllocator, isDeviceError, type Lane } from '@ring3/core';
import type { AtaDevice } from './ata-device.ts';
import type { BusMaster } from './bus-master.ts';
import type { Channel } from './channel.ts';
import { chooseDma } from './dma-choice.ts';
import { allocateDmaMemory, type DmaMemory } from './dma-memory.ts';
import type { AtaOptions } from './options.ts';
import { maxSectors } from './transfer-command.ts';

const TABLE_ATTEMPTS = 3;

/** What the set-up needs beside the channel. */
export interface DmaSetUp {
  readonly options: Pick<AtaOptions, 'dma' | 'dmaBufferKiB' | 'maxTransferBlocks'>;
  readonly dma: DmaAllocator | undefined;
  readonly turns: Lane | undefined;
}

/** How the data of a disk move, and the words for it. */
type Way = ReturnType<typeof chooseDma>;

/** Decides for each disk of a channel, and allocates the channel's table and buffer where one of them uses DMA. */
export function prepareDma(
  setUp: DmaSetUp,
  channel: Channel,
  devices: readonly AtaDevice[],
): ReadonlyMap<AtaDevice, Way> {
  const { options, dma } = setUp;
  const { busMaster } = channel;
  const ways = devices.map((device): [AtaDevice, Way] => [
    device,
    chooseDma(options.dma, {
      hasBusMaster: busMaster !== undefined && !busMaster.runaway && dma !== undefined,
      mode: device.identity.dmaMode,
      prepared: busMaster?.isPrepared(device.position) === true,
    }),
  ]);
  const users = ways.filter(([, { use }]) => use).map(([device]) => device);
  if (users.length === 0 || enable(setUp, channel, users)) return new Map(ways);
  return new Map(devices.map((device) => [device, { use: false, words: 'programmed I/O (no memory for DMA)' }]));
}

function enable({ options, dma, turns }: DmaSetUp, channel: Channel, users: readonly AtaDevice[]): boolean {
  if (dma === undefined || channel.busMaster === undefined) return false;
  const largest = users.map(
    ({ identity }) => Math.min(options.maxTransferBlocks, maxSectors(identity.lba48)) * identity.sectorBytes,
  );
  const wantedBytes = Math.min(options.dmaBufferKiB * 1024, Math.max(...largest));
  try {
    const memory = allocateDmaMemory(dma, wantedBytes);
    if (!keepsTable(channel.busMaster, memory)) {
      memory.release();
      channel.log.warn(`${channel.name}: no DMA: the bus master does not keep the address of its table`);
      return false;
    }
    channel.enableDma({ busMaster: channel.busMaster, memory }, turns);
    if (memory.sizeBytes < wantedBytes)
      channel.log.info(`${channel.name}: ${memory.sizeBytes} bytes of memory for DMA, ${wantedBytes} would be used`);
    return true;
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    channel.log.warn(`${channel.name}: no DMA: ${error.message}`);
    return false;
  }
}

/**
 * Whether the bus master knows its table. The address stays the same: when a later write of it is lost, the one before holds,
 * and no transfer goes to another place.
 */
function keepsTable(busMaster: BusMaster, { tableAddress }: DmaMemory): boolean {
  for (let attempt = 0; attempt < TABLE_ATTEMPTS; attempt++) {
    busMaster.load(tableAddress, 'to-memory');
    if (busMaster.holds(tableAddress)) return true;
  }
  return false;
}
