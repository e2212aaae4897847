import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInVm, TracePipe } from '@ring3/vm';
import { CommandCounter, type SeenCommands } from './command-counter.ts';

// How often the kernel's own driver (libata's ata_piix, with sd_mod) touches a register for a command, in QEMU's trace.

/** Beyond 28 bits: from here on commands have 48-bit addresses. */
const FAR = 'skip=25000000 seek=25000000';
const READ = 'dd if=/dev/sda of=/dev/null iflag=direct';
const WRITE = 'dd if=/dev/zero of=/dev/sda oflag=direct';
const DISK_BYTES = 200 * 2 ** 30;

/** A kind of commands: what makes the kernel issue them, and the code that it has to use. */
interface Phase {
  readonly name: string;
  readonly mode: 'dma' | 'pio';
  readonly shell: string;
  readonly code: number;
}

const PHASES: readonly Phase[] = [
  { name: 'READ DMA, 16 sectors', mode: 'dma', code: 0xc8, shell: `${READ} bs=8k count=16` },
  { name: 'READ DMA, 256 sectors', mode: 'dma', code: 0xc8, shell: `${READ} bs=128k count=4` },
  { name: 'READ DMA EXT, 16 sectors', mode: 'dma', code: 0x25, shell: `${READ} bs=8k count=16 ${FAR}` },
  { name: 'WRITE DMA, 16 sectors', mode: 'dma', code: 0xca, shell: `${WRITE} bs=8k count=16` },
  { name: 'WRITE DMA EXT, 16 sectors', mode: 'dma', code: 0x35, shell: `${WRITE} bs=8k count=16 ${FAR}` },
  { name: 'FLUSH CACHE EXT', mode: 'dma', code: 0xea, shell: 'sync /dev/sda; sync /dev/sda' },
  { name: 'READ MULTIPLE, 16 sectors', mode: 'pio', code: 0xc4, shell: `${READ} bs=8k count=16` },
  { name: 'READ MULTIPLE, 256 sectors', mode: 'pio', code: 0xc4, shell: `${READ} bs=128k count=4` },
  { name: 'READ MULTIPLE EXT, 16 sectors', mode: 'pio', code: 0x29, shell: `${READ} bs=8k count=16 ${FAR}` },
  { name: 'WRITE MULTIPLE, 16 sectors', mode: 'pio', code: 0xc5, shell: `${WRITE} bs=8k count=16` },
  { name: 'WRITE MULTIPLE EXT, 16 sectors', mode: 'pio', code: 0x39, shell: `${WRITE} bs=8k count=16 ${FAR}` },
];

const guest = `
mark() { printf "\\\\$(printf %03o $1)" | dd of=/dev/port bs=1 seek=224 conv=notrunc 2>/dev/null; }
attach() { modprobe libata $1; modprobe ata_piix; modprobe sd_mod; while [ ! -b /dev/sda ]; do sleep 0.1; done; sleep 1; }
detach() { modprobe -r sd_mod ata_piix libata; }
${phases('dma', 'attach')}
detach
${phases('pio', 'attach force=pio4')}
`;

function phases(mode: Phase['mode'], attach: string): string {
  // The first command of a file has the kernel look at the disk.
  const lines = PHASES.map((phase, index) =>
    phase.mode === mode ? `mark ${index + 1}; (${phase.shell}) 2>/dev/null; mark 255` : '',
  );
  return [attach, `${READ} bs=8k count=1 2>/dev/null`, ...lines].join('\n');
}

/** Accesses per command, by the name of the phase; boots a machine. */
export async function libataAccesses(): Promise<ReadonlyMap<string, { registers: number; data: number }>> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-bench-'));
  const counter = new CommandCounter();
  const trace = new TracePipe(folder, counter);
  const image = join(folder, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, DISK_BYTES);
  try {
    const { stderr } = await runInVm({
      command: ['sh', '-c', guest],
      devices: ['pc-testdev', 'ide-hd,drive=disk,bus=ide.0'],
      qemuArguments: [...trace.qemuArguments, '-drive', `id=disk,if=none,format=raw,file=${image}`],
      timeoutSeconds: 300,
    });
    await trace.finish();
    const seen = PHASES.map((phase, index) => [phase.name, perCommand(phase, counter.phases.get(index + 1), stderr)]);
    return new Map(seen as [string, { registers: number; data: number }][]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function perCommand({ name, code }: Phase, seen: SeenCommands | undefined, words: string) {
  const codes = seen?.codes ?? [];
  if (seen === undefined || codes.length === 0 || codes.some((each) => each !== code)) {
    throw new Error(
      `${name}: the kernel issued ${codes.map((each) => each.toString(16)).join(', ')} instead: ${words}`,
    );
  }
  return { registers: seen.registers / codes.length, data: seen.data / codes.length };
}
