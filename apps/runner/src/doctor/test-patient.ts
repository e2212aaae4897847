import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { DeviceDescription } from '@ring3/core';
import type { HeldClaim } from '@ring3/linux';
import type { ExaminedDevice } from './context.ts';
import { examine } from './examine.ts';
import type { Facts } from './facts.ts';
import { type Finding, formatFinding } from './finding.ts';
import { udevRules } from './udev-rules.ts';

/** Files of a machine on which nothing is wrong. `->` makes a link. */
const FILES: Readonly<Record<string, string>> = {
  'proc/iomem': '00001000-0fffffff : System RAM\nfebf1000-febf1fff : 0000:00:04.0\n',
  'proc/ioports': '0000-0cf7 : PCI Bus 0000:00\n',
  'proc/cmdline': 'BOOT_IMAGE=/vmlinuz quiet\n',
  'proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
  'proc/self/limits': 'Limit  Soft Limit  Hard Limit  Units\nMax address space         unlimited   unlimited   bytes\n',
  'sys/kernel/security/lockdown': '[none] integrity confidentiality\n',
  'sys/kernel/iommu_groups/0/type': 'DMA\n',
  'sys/module/uio/refcnt': '1\n',
  'sys/module/uio_pci_generic/refcnt': '0\n',
  'sys/bus/pci/drivers/uio_pci_generic/new_id': '',
  'sys/bus/pci/devices/0000:00:04.0/config': '',
  'sys/bus/pci/devices/0000:00:04.0/resource0': '',
  'sys/bus/pci/devices/0000:00:04.0/driver': '-> ../../drivers/uio_pci_generic',
  'sys/bus/pci/devices/0000:00:04.0/uio/uio0/name': 'uio_pci_generic\n',
  'sys/class/uio/uio0/name': 'uio_pci_generic\n',
  'dev/uio0': '',
  'dev/mem': '',
  'modules/modules.builtin': 'kernel/drivers/base/firmware.ko\n',
  'modules/modules.dep':
    'kernel/drivers/uio/uio.ko:\nkernel/drivers/uio/uio_pci_generic.ko: kernel/drivers/uio/uio.ko\n',
};

/** A machine that a doctor looks at. */
export interface Patient {
  /** Replaces a file; `undefined` removes it, and a folder with everything in it. */
  write(path: string, text: string | undefined): void;
  /** Changes what is known of the process. */
  facts(changes: Partial<Facts>): void;
  /** Files that this user may not open: a part of their path. */
  forbid(part: string): void;
  add(device: ExaminedDevice): void;
  claim(claim: HeldClaim): void;
  /** Whose claims are kept from this user. */
  hideClaims(why: string): void;
  findings(): Finding[];
  /** What a person reads of all that is not as it should be. */
  complaints(): string;
  udev(): string;
  remove(): void;
}

/** A machine of files on which nothing is wrong, until a test makes it so. */
export function patient(): Patient {
  const root = mkdtempSync(join(tmpdir(), 'ring3-doctor-'));
  const roots = { sys: join(root, 'sys'), proc: join(root, 'proc'), dev: join(root, 'dev') };
  const forbidden: string[] = [];
  const devices: ExaminedDevice[] = [];
  const claims: HeldClaim[] = [];
  const open = (path: string) => {
    if (forbidden.some((part) => path.includes(part))) return 'EACCES';
    return removed.has(path) ? 'ENOENT' : undefined;
  };
  const removed = new Set<string>();
  let facts: Facts = { ...HEALTHY, modulesFolder: join(root, 'modules'), access: open, open };
  let claimsError: string | undefined;
  const findings = () => examine({ roots, facts, devices, claims, claimsError });
  const readable = (text: string) => text.replaceAll(`${root}/modules`, '/lib/modules/6.1.0').replaceAll(root, '');
  const write = (path: string, text: string | undefined) => {
    rmSync(join(root, path), { force: true, recursive: true });
    if (text === undefined) removed.add(join(root, path));
    else put(join(root, path), text);
  };
  for (const [path, text] of Object.entries(FILES)) write(path, text);
  return {
    write,
    facts: (changes) => {
      facts = { ...facts, ...changes };
    },
    forbid: (part) => void forbidden.push(part),
    add: (device) => void devices.push(device),
    claim: (claim) => void claims.push(claim),
    hideClaims: (why) => {
      claimsError = why;
    },
    findings,
    complaints: () =>
      readable(
        findings()
          .filter(({ level }) => level !== 'ok')
          .map(formatFinding)
          .join(''),
      ),
    udev: () => readable(udevRules(devices, roots)),
    remove: () => rmSync(root, { recursive: true }),
  };
}

const HEALTHY: Omit<Facts, 'modulesFolder' | 'access' | 'open'> = {
  nodeVersion: '24.21.0',
  platform: 'linux',
  arch: 'x64',
  endianness: 'LE',
  glibc: '2.36',
  kernel: '6.1.0',
  user: 'operator',
  nativeError: undefined,
  engine: { ok: true, proven: true, words: 'V8 13.6 keeps accesses exact' },
  mappingError: undefined,
  portError: undefined,
};

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (text.startsWith('-> ')) symlinkSync(text.slice(3), path);
  else writeFileSync(path, text);
}

/** A PCI function behind UIO. */
export const UIO_DEVICE: ExaminedDevice = {
  name: 'edu0',
  backend: 'uio',
  section: { type: 'uio', select: { pci: '0000:00:04.0' } },
  description: describe('0000:00:04.0', { bar: 0, start: 0xfebf_1000n }),
  problems: [],
};

/** Registers by their address. */
export const DEVMEM_DEVICE: ExaminedDevice = {
  name: 'fpga0',
  backend: 'devmem',
  section: { type: 'devmem', memory: [{ name: 'regs', address: 0x43c0_0000, size: 0x1000 }] },
  description: describe('regs@43c00000', { name: 'regs', start: 0x43c0_0000n }),
  problems: [],
};

function describe(id: string, space: { bar?: number; name?: string; start: bigint }): DeviceDescription {
  return {
    id,
    domain: 'machine',
    identity: {},
    spaces: [{ kind: 'memory', sizeBytes: 0x1000, ...space }],
    interrupts: [],
    simulated: false,
  };
}

/** A device of which the backend says that something is in its way. */
export function obstructed(device: ExaminedDevice, ...obstacles: string[]): ExaminedDevice {
  if (device.description === undefined) throw new Error('not described');
  return { ...device, description: { ...device.description, obstacles } };
}
