import { mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { temporaryFolder } from './runner-process.ts';

const IOMEM = `00001000-0009fbff : System RAM
43c00000-43c0ffff : fpga@43c00000
fea00000-feafffff : 0000:00:04.0
feb00000-feb00fff : 0000:00:05.0
  feb00000-feb00fff : e1000
`;

const INTERRUPTS = `           CPU0       CPU1
 11:          5          7   IO-APIC   11-fasteoi   uio_pci_generic
`;

/** A machine that is made of files, for RING3_ROOTS: an edu device that nobody drives, a card that the kernel drives. */
export function machineFolder(): { readonly root: string; readonly environment: Record<string, string> } {
  const root = temporaryFolder();
  const write = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  write('proc/iomem', IOMEM);
  write('proc/ioports', '0000-0cf7 : PCI Bus 0000:00\n');
  write('proc/cmdline', 'quiet\n');
  write('proc/interrupts', INTERRUPTS);
  write('proc/self/status', 'CapEff:\t000001ffffffffff\n');
  write('dev/mem', '');
  truncateSync(join(root, 'dev/mem'), 0x43c1_0000);
  const mem = openSync(join(root, 'dev/mem'), 'r+');
  writeSync(mem, Uint8Array.of(0xed, 0x00, 0x00, 0x01, 0x11, 0x22, 0x33, 0x44), 0, 8, 0x43c0_0000);
  mkdirSync(join(root, 'sys/class/uio'), { recursive: true });
  pciFunction(root, write, '0000:00:04.0', 0x11e8, 0xfea0_0000, 0x1000);
  const taken = pciFunction(root, write, '0000:00:05.0', 0x100e, 0xfeb0_0000, 0x1000);
  for (const driver of ['e1000', 'uio_pci_generic']) {
    mkdirSync(join(root, 'sys/bus/pci/drivers', driver), { recursive: true });
  }
  symlinkSync(relative(taken, join(root, 'sys/bus/pci/drivers/e1000')), join(taken, 'driver'));
  return { root, environment: { RING3_ROOTS: root, RING3_CLAIMS: join(root, 'claims') } };
}

function pciFunction(
  root: string,
  write: (path: string, content: string | Uint8Array) => void,
  address: string,
  device: number,
  start: number,
  sizeBytes: number,
): string {
  const folder = `sys/devices/pci0000:00/${address}`;
  const hex = (value: number, digits: number) => `0x${value.toString(16).padStart(digits, '0')}`;
  const line = (first: number, last: number, flags: number) =>
    [first, last, flags].map((value) => hex(value, 16)).join(' ');
  const resource = [line(start, start + sizeBytes - 1, 0x40200), ...new Array(12).fill(line(0, 0, 0))].join('\n');
  const attributes = { vendor: '0x1234', device: hex(device, 4), class: '0x00ff00', revision: '0x10', irq: '11' };
  const all = { ...attributes, enable: '1', driver_override: '(null)', resource };
  for (const [name, text] of Object.entries(all)) write(`${folder}/${name}`, `${text}\n`);
  const config = new DataView(new ArrayBuffer(256));
  config.setUint16(0, 0x1234, true);
  config.setUint16(2, device, true);
  config.setUint16(4, 0x0103, true);
  config.setUint8(0x3d, 1);
  write(`${folder}/config`, new Uint8Array(config.buffer));
  write(`${folder}/resource0`, new Uint8Array(sizeBytes).fill(0x5a));
  mkdirSync(join(root, 'sys/bus/pci/devices'), { recursive: true });
  symlinkSync(join('../../../devices/pci0000:00', address), join(root, 'sys/bus/pci/devices', address));
  return join(root, folder);
}
