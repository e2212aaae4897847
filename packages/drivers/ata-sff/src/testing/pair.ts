import { MemoryStore } from '../model/index.ts';
import { emptyImages } from './disks.ts';
import { modelBench } from './model-bench.ts';
import { qemuBench } from './qemu-bench.ts';
import { RawHost } from './raw-host.ts';
import type { Place } from './streams.ts';
import { Twins } from './twins.ts';

/** Two small disks, and one that 28-bit addresses do not reach over, as device 1 of channel 0. */
const SECTORS = [4100, 2 ** 28 + 5000, 4100];

/** The model and QEMU's piix3-ide with the same three disks; one pair of hosts for each channel. */
export async function createTwins() {
  const images = emptyImages(SECTORS);
  const disks = SECTORS.map((sectors, index) => ({
    sectors,
    channel: index < 2 ? (0 as const) : (1 as const),
    position: index === 1 ? ('slave' as const) : ('master' as const),
    fua: false,
    model: 'QEMU HARDDISK',
    firmware: '2.5+',
  }));
  const ours = await modelBench(
    { disks },
    SECTORS.map((sectors) => new MemoryStore(sectors)),
  );
  const theirs = await qemuBench(images.paths);
  const seen = new Map<string, number>();
  const places: readonly Place[] = [
    { sectors: SECTORS.slice(0, 2), dma: true },
    { sectors: SECTORS.slice(2), dma: true },
  ];
  const twins = places.map((place, index) => {
    const channel = index === 0 ? 0 : 1;
    return new Twins(new RawHost(ours, channel), new RawHost(theirs, channel), place, seen);
  });
  const close = async () => {
    await ours.close();
    await theirs.close();
    images.remove();
  };
  return { twins, seen, close };
}
