import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram, cacheFolder, runInVm } from '@ring3/vm';
import type { Row } from './row.ts';

const HERE = import.meta.dirname;
const ROUNDS = '4';
const IMAGE_MIB = 64;
/** What is read each time, in bytes. */
const TRANSFER = 128 * 1024;

/** Multiword DMA mode 2, the fastest of PIIX3. */
const BUS_BYTES_PER_SECOND = 16_700_000;

/** Nanoseconds for one of the same thing, round by round. */
interface Sides {
  readonly ring3: readonly number[];
  readonly c: readonly number[];
}

/** On a real kernel and emulated devices: ring3 beside C programs that do the same, in one boot, in turns. */
export async function vm(): Promise<Row[]> {
  // Not below /tmp, which is the machine's own memory.
  const folder = mkdtempSync(join(cacheFolder, 'bench-'));
  try {
    const image = join(folder, 'disk.img');
    const words = new Uint32Array((IMAGE_MIB * 2 ** 20) / 4).map((_, index) => Math.imul(index + 1, 0x9e37_79b1));
    writeFileSync(image, words);
    const { disk, registers } = await measure(folder, image);
    return [
      ratio('PIO, reads of 128 KiB', disk.pio, megabytes, 0.7),
      ratio('DMA, reads of 128 KiB', disk.dma, megabytes, 0.9),
      ratio('DMA, reads of 128 KiB, from a disk of 16.7 MB/s as the bus of PIIX3 has', disk.slow, megabytes, 0.9),
      ratio('32-bit read of a register of `edu`', registers, nanoseconds),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Figures {
  readonly disk: Readonly<Record<'pio' | 'dma' | 'slow', Sides>>;
  readonly registers: Sides;
}

async function measure(folder: string, image: string): Promise<Figures> {
  const peers = ['disk-peer', 'register-peer'].map((name) => compile(folder, name));
  const sides = await Promise.all(['vm-disk-side', 'vm-registers-side'].map(bundle));
  const commands = sides.map((side, index) => `node ${side} ${peers[index]} ${ROUNDS} && echo`);
  const drive = (id: string, more = '') => [
    '-drive',
    `if=none,id=${id},format=raw,read-only=off,snapshot=on,file=${image}${more}`,
  ];
  const { stdout, stderr } = await runInVm({
    command: ['sh', '-c', commands.join(' && ')],
    devices: ['edu', 'ide-hd,drive=disk,bus=ide.0', 'ide-hd,drive=slow,bus=ide.1'],
    qemuArguments: [...drive('disk'), ...drive('slow', `,throttling.bps-total=${BUS_BYTES_PER_SECOND}`)],
    append: ['hugepages=8'], // Later, memory may be in pieces.
    timeoutSeconds: 300,
  });
  const [disk, registers] = stdout.split('\n').map((line) => (line === '' ? undefined : JSON.parse(line)));
  if (disk === undefined || registers === undefined) throw new Error(`the machine has not measured: ${stderr}`);
  return { disk, registers };
}

/** Static: it runs in the machine as it is. */
function compile(folder: string, name: string): string {
  const program = join(folder, name);
  execFileSync('gcc', ['-O2', '-static', '-o', program, join(HERE, 'native', `${name}.c`)]);
  return program;
}

/** In the runner's folder, which has ffi-rs. */
function bundle(name: string): Promise<string> {
  return bundleProgram(join(HERE, '..', 'apps', 'runner'), `../../../bench/${name}`);
}

/** The best round of each side: what else the machine does only adds. */
function ratio(what: string, sides: Sides, unit: (ns: number) => string, least?: number): Row {
  const [ring3, c] = [Math.min(...sides.ring3), Math.min(...sides.c)];
  const rest =
    least === undefined ? { target: 'reported' } : { target: `at least ${least * 100} %`, met: c / ring3 >= least };
  return { what: `in the VM: ${what}`, ring3: unit(ring3), peer: `C ${unit(c)}`, ratio: c / ring3, ...rest };
}

function megabytes(ns: number): string {
  return `${((TRANSFER / ns) * 1000).toPrecision(3)} MB/s`;
}

function nanoseconds(ns: number): string {
  return `${ns.toFixed(0)} ns`;
}
