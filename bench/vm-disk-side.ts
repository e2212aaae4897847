import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { BLOCK_DEVICE, type BlockDevice, SILENT } from '@ring3/core';
import { openRig } from '@ring3/rig';

// ring3's side of bench/vm-disk.ts, in the virtual machine: vm-disk-side PEER ROUNDS. Its reads and those of the C program
// PEER take turns. One JSON object on stdout.

const IDE = '0000:00:01.1';
const FUNCTION = `/sys/bus/pci/devices/${IDE}`;
const BYTES = 128 * 1024;
/** Of the disk, before reading begins again at its start. */
const PLACES = 500;
/** Channel 1 has a disk that is as slow as its bus. */
const CASES = {
  pio: { dma: 'off', channel: 0, count: 60 },
  dma: { dma: 'on', channel: 0, count: 1000 },
  slow: { dma: 'on', channel: 1, count: 100 },
} as const;

type Case = (typeof CASES)[keyof typeof CASES];

const [peer = '', rounds = '3'] = process.argv.slice(2);
const data = new Uint8Array(BYTES);

async function openDisk({ dma, channel }: Case) {
  const backend = { type: 'uio', select: { pci: IDE }, dma: { memory: 'huge-pages', sizeMiB: 4 } };
  const ata0 = { driver: 'ata-sff', backend, options: { devices: 'first', dma } };
  const file = '/tmp/vm-disk.yaml';
  writeFileSync(file, JSON.stringify({ version: 1, devices: { ata0 } }));
  const builtins = {
    drivers: { 'ata-sff': () => import('@ring3/driver-ata-sff') },
    backends: { uio: () => import('@ring3/backend-uio') },
  };
  const rig = await openRig({ file }, { log: SILENT, builtins });
  return { rig, disk: rig.get(BLOCK_DEVICE, `ata0/disk${2 * channel}`) };
}
async function reads(disk: BlockDevice, count: number): Promise<{ ns: number; sum: number }> {
  await disk.read(0, data);
  const start = performance.now();
  for (let index = 0; index < count; index++) await disk.read((index % PLACES) * (BYTES / 512), data);
  const ns = ((performance.now() - start) * 1e6) / count;
  const words = new Uint32Array(data.buffer);
  return { ns, sum: words.reduce((sum, word) => (Math.imul(sum, 31) + word) >>> 0, 0) };
}

/** The bus master's ports: the fifth line of the resource file. */
function busMasterPort(): string {
  return readFileSync(`${FUNCTION}/resource`, 'utf8').split('\n')[4]?.split(' ')[0] ?? '';
}

async function measure(one: Case) {
  const { rig, disk } = await openDisk(one);
  const { dma, channel, count } = one;
  const words = [dma === 'on' ? 'dma' : 'pio', String(count), String(channel), busMasterPort()];
  const figures = { ring3: [] as number[], c: [] as number[] };
  for (let round = 0; round < Number(rounds); round++) {
    const c = JSON.parse(execFileSync(peer, words, { encoding: 'utf8' }));
    const ring3 = await reads(disk, count);
    if (c.sum !== ring3.sum) throw new Error(`${words}: the two have read different data`);
    figures.c.push(c.ns);
    figures.ring3.push(ring3.ns);
  }
  await rig.close();
  return figures;
}

writeFileSync(`${FUNCTION}/driver_override`, 'uio_pci_generic');
writeFileSync('/sys/bus/pci/drivers_probe', IDE);
const figures: Record<string, unknown> = {};
for (const [name, one] of Object.entries(CASES)) figures[name] = await measure(one);
process.stdout.write(JSON.stringify(figures));
