import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  cpSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needsTools, toolsMissing } from '@ring3/core/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleProgram } from '../../../tools/vm/src/bundle.ts';
import { cacheFolder, checkout, runInVm } from '../../../tools/vm/src/run.ts';

// The disk is QEMU's ide-hd on the PIIX3 of its board, the programs in the machine are fixtures/*-in-machine.ts.

const MIB = 2 ** 20;
/** Folders of this repository: some hundreds of files of all sizes. */
const TREE = ['packages/core/src', 'packages/linux/src', 'packages/nbd/src', 'packages/backend-uio/src', 'docs'];

const tools = { 'nbd-client': 'nbd-client', 'mkfs.ext4': 'e2fsprogs', e2fsck: 'e2fsprogs' };

interface Lost {
  readonly status: number;
  readonly words: string;
  readonly ms: number;
}

interface Disk {
  readonly sectors: number;
  readonly logicalBlock: number;
  readonly physicalBlock: number;
  readonly mostDiscardBytes: number;
  readonly cache: string;
}

interface FirstBoot {
  readonly pio: { disk: Disk; files: number; lost: Lost; words: string; status: number };
  readonly dma: {
    disk: Disk;
    files: number;
    trimmed: string;
    wasBusMaster: boolean;
    isBusMaster: boolean;
    words: string;
    status: number;
  };
  readonly gone: { lost: Lost; isBusMaster: boolean; words: string; status: number };
  readonly leftOver: { claims: readonly string[]; usedHugePages: number };
}

interface SecondBoot {
  readonly files: readonly number[];
  readonly refused: Record<'uio' | 'devmem', { status: number; words: string }>;
}

describe('a file system on a disk that ring3 drives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-disk-'));
  const image = join(folder, 'disk.img');
  // Not below /tmp, which is the machine's own memory.
  mkdirSync(cacheFolder, { recursive: true });
  const shared = mkdtempSync(join(cacheFolder, 'tree-'));
  let files: number;
  let first: FirstBoot;
  let second: SecondBoot;
  let allocatedBytes: number;
  let check: string;

  beforeAll(async () => {
    if (toolsMissing(tools) !== undefined) return;
    files = prepareTree(shared);
    const file = openSync(image, 'w');
    ftruncateSync(file, 64 * MIB);
    closeSync(file);
    first = await inMachine('file-system-in-machine', image, shared);
    check = execFileSync('e2fsck', ['-f', '-n', image], { encoding: 'utf8' });
    allocatedBytes = statSync(image).blocks * 512;
    second = await inMachine('own-driver-in-machine', image, shared);
  }, 820_000);
  beforeEach(needsTools(tools));
  afterAll(() => {
    for (const one of [folder, shared]) rmSync(one, { recursive: true });
  });

  it('is made, filled and found intact by programmed I/O, attached by the kernel over NBD', () => {
    expect(first.pio.files).toBe(files);
    expect(first.pio.words).toContain('programmed I/O');
  });

  it('and by bus master', () => {
    expect(first.dma.files).toBe(files);
    expect(first.dma).toMatchObject({ wasBusMaster: true, isBusMaster: false, status: 0 });
  });

  it('is without an error for e2fsck on the image itself', () => {
    expect(check).toMatch(/^\S+: \d+\/\d+ files/m);
  });

  it('is the same for the driver of the kernel after another start of the machine', () => {
    expect(second.files).toEqual([files, files]);
  });

  it('shows the kernel the blocks and the cache of the disk', () => {
    const disk = { sectors: (64 * MIB) / 512, logicalBlock: 512, cache: 'write back' };
    expect(first.pio.disk).toMatchObject(disk);
    expect(first.dma.disk).toMatchObject(disk);
  });

  it('is trimmed by fstrim, down to the image, where the disk trims', () => {
    expect(first.pio.disk.mostDiscardBytes, 'trimming is a DMA command').toBe(0);
    expect(first.dma.disk.mostDiscardBytes).toBeGreaterThan(0);
    expect(Number(/\((\d+) bytes\)/.exec(first.dma.trimmed)?.[1])).toBeGreaterThan(8 * MIB);
    expect(allocatedBytes).toBeLessThan(8 * MIB);
  });

  it.each(['pio', 'gone'] as const)('ends in an error, not in silence, when the disk is taken away: %s', (name) => {
    const { lost, words } = first[name];
    process.stderr.write(`reading failed ${lost.ms} ms after the disk was taken away (${name})\n`);
    expect(lost.status).toBe(1);
    expect(lost.words).toContain('Input/output error');
    expect(lost.ms).toBeLessThan(10_000); // On an emulated processor that others use as well; by itself it takes 0.5 s.
    expect(words).toMatch(/gone|removed|unbound/);
  });

  it('leaves nothing behind: no bus master, no memory, no claim', () => {
    expect(first.gone.isBusMaster).toBe(false);
    expect(first.leftOver).toEqual({ claims: [], usedHugePages: 0 });
  });

  it.each(['uio', 'devmem'] as const)('is not touched while a driver of the kernel has the disk (%s)', (way) => {
    const { status, words } = second.refused[way];
    expect(words).toContain('ata_piix');
    expect(status).toBe(75);
  });
});

async function inMachine<Result>(program: string, image: string, shared: string): Promise<Result> {
  const bundle = (name: string) => bundleProgram(join(import.meta.dirname, '..'), name);
  const files = [join(shared, 'tree.tar'), join(shared, 'tree.sha256')];
  const words: string[] = [];
  const { stdout, stderr } = await runInVm({
    command: ['node', await bundle(`../tests/fixtures/${program}`), await bundle('cli'), ...files],
    qemuArguments: [
      ...['-drive', `if=none,id=disk,file=${image},format=raw,discard=unmap`],
      ...['-device', 'ide-hd,drive=disk,bus=ide.0,serial=RING3'],
    ],
    timeoutSeconds: 400,
    onOutput: (_stream, chunk) => void words.push(chunk.toString()),
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${words.join('')}`, { cause: error });
  });
  if (process.env['RING3_VM_LOG'] === '1') process.stderr.write(stderr);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/** An archive of the tree and the sums of its files. @returns how many there are. */
function prepareTree(shared: string): number {
  const tree = join(shared, 'tree');
  for (const name of TREE) cpSync(join(checkout, name), join(tree, name), { recursive: true });
  const entries = readdirSync(tree, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sums = entries.map(({ parentPath, name }) => {
    const path = join(parentPath, name);
    const sum = createHash('sha256').update(readFileSync(path)).digest('hex');
    return `${sum}  ${path.slice(tree.length + 1)}\n`;
  });
  writeFileSync(join(shared, 'tree.sha256'), sums.join(''));
  execFileSync('tar', ['-c', '-f', join(shared, 'tree.tar'), '-C', tree, '.']);
  return entries.length;
}
