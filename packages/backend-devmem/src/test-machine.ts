import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Logger, SILENT } from '@ring3/core';
import { DevmemBackend, type DevmemOptions } from './backend.ts';

/** `/proc/iomem` of a board: a PCI device that a driver holds, a free one, a node of the device tree, a shared page. */
export const IOMEM = `00000000-00000fff : Reserved
00001000-0009fbff : System RAM
000f0000-000fffff : System ROM
00100000-0fffffff : System RAM
  01000000-02209987 : Kernel code
10000000-1fffffff : PCI Bus 0000:00
  10000000-10000fff : 0000:00:03.0
    10000000-10000fff : sdhci
  10001000-10001fff : 0000:00:04.0
  10002000-1000207f : 0000:00:05.0
    10002000-1000207f : e1000
  10002080-100020ff : 0000:00:06.0
  10003000-10003fff : 0000:00:07.0
  10004000-10004fff : 0000:00:07.0
43c00000-43c0ffff : fpga@43c00000
`;

export const IOPORTS = `0000-0cf7 : PCI Bus 0000:00
  0040-0043 : timer0
  03f8-03ff : serial
0d00-ffff : PCI Bus 0000:00
`;

/** Every address zero, as a process without CAP_SYS_ADMIN sees it. */
export function hide(text: string): string {
  return text.replaceAll(/[0-9a-f]{4,}-[0-9a-f]{4,}/g, '00000000-00000000');
}

/** All capabilities. */
const STATUS = 'Name:\tnode\nCapEff:\t000001ffffffffff\n';

/** A machine whose kernel is a folder of files. */
export interface FakeMachine {
  readonly backend: DevmemBackend;
  /** Replaces a file: `proc/iomem`. `undefined` removes it. */
  write(path: string, text: string | undefined): void;
  path(name: string): string;
  remove(): void;
}

/** Makes a machine with physical addresses up to 0x50000000 behind `/dev/mem`, all of them zeros. */
export function fakeMachine({ log = SILENT, ...options }: DevmemOptions & { readonly log?: Logger } = {}): FakeMachine {
  const root = mkdtempSync(join(tmpdir(), 'ring3-devmem-'));
  const path = (name: string) => join(root, name);
  const write = (name: string, text: string | undefined) => {
    rmSync(path(name), { force: true });
    if (text === undefined) return;
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
  };
  write('proc/iomem', IOMEM);
  write('proc/ioports', IOPORTS);
  write('proc/cmdline', 'BOOT_IMAGE=/vmlinuz ro quiet\n');
  write('proc/self/status', STATUS);
  write('sys/kernel/security/lockdown', '[none] integrity confidentiality\n');
  write('dev/mem', '');
  truncateSync(path('dev/mem'), 0x5000_0000);
  write('dev/port', '');
  truncateSync(path('dev/port'), 0x1_0000);
  const roots = { sys: path('sys'), proc: path('proc'), dev: path('dev') };
  const backend = new DevmemBackend({ log }, { pageBytes: 4096, arch: 'x64', ...roots, ...options });
  return { backend, write, path, remove: () => rmSync(root, { recursive: true }) };
}
