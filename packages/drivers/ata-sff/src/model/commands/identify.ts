import type { AtaDevice, CommandHandler } from '../ata-device.ts';
import type { Defects } from '../defects.ts';
import { identifyData, littleEndian, withChecksum } from '../identify-data.ts';
import { packetIdentifyData } from '../packet-identify-data.ts';

/** IDENTIFY DEVICE: ATA/ATAPI-6 section 8.15. A packet device aborts it and shows what it is (section 8.15.5.2). */
export const identifyDevice: CommandHandler = (run) => {
  if (run.device.kind === 'packet') {
    run.device.taskFile.putSignature('packet', run.device.taskFile.deviceSelection);
    run.abort();
    return;
  }
  const bytes = spoil(identifyData(identityOf(run.device)), run.device.defects.identify);
  run.offer({ bytes, start: 0, lengthBytes: bytes.length }, () => run.completeQuietly());
};

/** IDENTIFY PACKET DEVICE: section 8.16. */
export const identifyPacketDevice: CommandHandler = (run) => {
  const { serial, model, firmware } = identityOf(run.device);
  const bytes = packetIdentifyData({ serial, model, firmware });
  run.offer({ bytes, start: 0, lengthBytes: bytes.length }, () => run.completeQuietly());
};

function identityOf(device: AtaDevice) {
  const { options, settings, number } = device;
  return {
    model: options.model,
    serial: options.serial ?? '',
    firmware: options.firmware,
    sectors: settings.visibleSectors,
    lba48: options.lba48,
    fua: options.fua,
    compactFlash: options.compactFlash,
    dma: options.dma,
    trim: options.dma && options.lba48 ? options.trim : ('none' as const),
    dmaMode: settings.dmaMode,
    multipleMax: options.multiple,
    multiple: settings.multiple,
    writeCacheEnabled: settings.writeCache,
    lookAheadEnabled: settings.lookAhead,
    physicalSectorBytes: options.physicalSectorBytes,
    defaultGeometry: settings.defaultGeometry,
    currentGeometry: settings.geometry,
    number,
    hasSlave: device.hasSlave,
  };
}

/** The block with an oddity that was seen on real devices. */
function spoil(bytes: Uint8Array, defect: Defects['identify']): Uint8Array {
  const words = new Uint16Array(256).map((_, index) => (bytes[index * 2] ?? 0) | ((bytes[index * 2 + 1] ?? 0) << 8));
  switch (defect) {
    case 'good':
      return bytes;
    case 'all-ones':
      return bytes.fill(0xff);
    case 'all-zeros':
      return bytes.fill(0);
    case 'bad-checksum':
      return bytes.fill((bytes[511] ?? 0) ^ 0x55, 511);
    case 'compact-flash':
      words[0] = 0x848a;
      return withChecksum(words);
    case 'no-capacity':
      for (const index of [1, 54, 57, 58, 60, 61, 100, 101, 102, 103]) words[index] = 0;
      return withChecksum(words);
    case 'swapped-strings':
      for (const [first, end] of TEXT_WORDS) swap(words, first, end);
      return withChecksum(words);
  }
}

const TEXT_WORDS = [
  [10, 20],
  [23, 47],
] as const;

function swap(words: Uint16Array, first: number, end: number): void {
  const bytes = littleEndian(words.slice(first, end));
  for (let index = first; index < end; index++) {
    const at = (index - first) * 2;
    words[index] = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  }
}
