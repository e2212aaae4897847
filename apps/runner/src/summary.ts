import {
  BLOCK_DEVICE,
  type BlockDevice,
  type BlockDeviceInfo,
  type DeviceDescription,
  hex,
  type PublishedService,
  SERIAL_PORT,
  type SerialPort,
  type SpaceResource,
} from '@ring3/core';

/** Where a device's registers and interrupts are: `I/O ports 0x1f0-0x1f7, 0x3f6; IRQ 14`. */
export function describeWhere({ spaces, interrupts }: DeviceDescription): string {
  const of = (kind: SpaceResource['kind'], title: string) => {
    const ranges = spaces.filter((space) => space.kind === kind).map(range);
    return ranges.length === 0 ? [] : [`${title} ${ranges.join(', ')}`];
  };
  const lines = [...new Set(interrupts.map((interrupt) => interrupt.line ?? `interrupt ${interrupt.index}`))];
  return [...of('memory', 'memory'), ...of('port', 'I/O ports'), lines.join(', ')]
    .filter((part) => part !== '')
    .join('; ');
}

function range({ start, sizeBytes }: SpaceResource): string {
  return sizeBytes === 1 ? hex(start) : `${hex(start)}-${hex(start + BigInt(sizeBytes) - 1n)}`;
}

/** A service in words, and whether it says that it is simulated. */
export function describeService({ className, service }: PublishedService): { what: string; simulated: boolean } {
  if (className === BLOCK_DEVICE.name) {
    const { info } = service as BlockDevice;
    return { what: describeDisk(info), simulated: info.simulated };
  }
  if (className === SERIAL_PORT.name) {
    const { model, simulated } = (service as SerialPort).info;
    return { what: `serial port, ${model}`, simulated };
  }
  return { what: className, simulated: false };
}

/** A disk in words: `16 MiB, model RING3 DISK, serial R3-0001`. */
function describeDisk(info: BlockDeviceInfo): string {
  const parts = [
    formatSize(info.blockCount * info.blockSizeBytes),
    info.model,
    info.serial === '' ? '' : `serial ${info.serial}`,
  ];
  if (info.readOnly) parts.push('read-only');
  return parts.filter((part) => part !== '').join(', ');
}

/** `16 MiB`; whole numbers stay whole. */
function formatSize(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}
