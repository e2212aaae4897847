import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** A base address register of a {@link FakePci}. */
export interface FakeBar {
  readonly bar: number;
  readonly kind?: 'memory' | 'port';
  readonly start: number;
  readonly sizeBytes: number;
  readonly prefetchable?: boolean;
  readonly unassigned?: boolean;
}

/** A PCI function of a {@link FakeMachine}. */
export interface FakePci {
  readonly address?: string;
  readonly vendor?: number;
  readonly device?: number;
  readonly classCode?: number;
  readonly irq?: number;
  readonly pin?: number;
  readonly driver?: string;
  readonly enable?: string;
  /** `D3hot`: it sleeps. */
  readonly powerState?: string;
  readonly bars?: readonly FakeBar[];
}

/** A UIO device of a {@link FakeMachine}. */
export interface FakeUio {
  readonly node: string;
  /** The folder of the device behind it, as {@link FakeMachine.pci} or {@link FakeMachine.platform} returned it. */
  readonly parent: string;
  readonly name?: string;
  readonly version?: string;
  readonly maps?: readonly { name?: string; address: number; sizeBytes: number; offset?: number }[];
  readonly ports?: readonly { name?: string; start: number; sizeBytes: number; type?: string }[];
}

const hex = (value: number, digits = 0) => `0x${value.toString(16).padStart(digits, '0')}`;

/** A temporary `/sys`, `/proc` and `/dev` with the files that a kernel would show, and plain files for memory. */
export class FakeMachine {
  readonly root = mkdtempSync(join(tmpdir(), 'ring3-uio-'));
  readonly roots = { sys: join(this.root, 'sys'), proc: join(this.root, 'proc'), dev: join(this.root, 'dev') };

  constructor() {
    for (const folder of ['sys/class/uio', 'sys/bus/pci/devices', 'sys/bus/pci/drivers', 'proc', 'dev']) {
      mkdirSync(join(this.root, folder), { recursive: true });
    }
  }

  /** Writes a file below the root, with its folders. */
  write(path: string, content: string | Uint8Array): string {
    const full = path.startsWith(this.root) ? path : join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    return full;
  }

  /** Makes a link between two absolute paths, relative as sysfs has them. */
  link(path: string, target: string): void {
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(relative(dirname(path), target), path);
  }

  /** A file of zeros that can be mapped. */
  memory(path: string, sizeBytes: number): string {
    const full = this.write(path, '');
    truncateSync(full, sizeBytes);
    return full;
  }

  /** Adds a PCI function; returns its folder. */
  pci(options: FakePci = {}): string {
    const { address = '0000:00:04.0', vendor = 0x1234, device = 0x11e8, classCode = 0xff00, irq = 11 } = options;
    const folder = join(this.roots.sys, 'devices/pci0000:00', address);
    const attributes = {
      vendor: hex(vendor, 4),
      device: hex(device, 4),
      class: hex(classCode, 6),
      revision: '0x10',
      subsystem_vendor: '0x1af4',
      subsystem_device: '0x1100',
      irq: String(irq),
      enable: options.enable ?? '1',
      power_state: options.powerState ?? 'D0',
      driver_override: '(null)',
      resource: resourceText(options.bars ?? []),
    };
    for (const [name, text] of Object.entries(attributes)) this.write(join(folder, name), `${text}\n`);
    this.write(join(folder, 'config'), configBytes(vendor, device, options.pin ?? (irq === 0 ? 0 : 1)));
    for (const { bar, sizeBytes, prefetchable } of options.bars ?? []) {
      this.memory(join(folder, `resource${bar}`), sizeBytes);
      if (prefetchable === true) this.memory(join(folder, `resource${bar}_wc`), sizeBytes);
    }
    this.link(join(this.roots.sys, 'bus/pci/devices', address), folder);
    if (options.driver !== undefined) this.bindDriver(folder, options.driver);
    return folder;
  }

  /** Says that a kernel driver has a PCI function. */
  bindDriver(folder: string, driver: string): void {
    const driverFolder = join(this.roots.sys, 'bus/pci/drivers', driver);
    mkdirSync(driverFolder, { recursive: true });
    this.link(join(folder, 'driver'), driverFolder);
  }

  /** Adds a device of the board, with a node of the device tree where that is given; returns its folder. */
  platform(name: string, tree?: { compatible: string; reg?: readonly number[]; interrupts?: boolean }): string {
    const folder = join(this.roots.sys, 'devices/platform', name);
    mkdirSync(folder, { recursive: true });
    if (tree === undefined) return folder;
    const node = join(this.roots.sys, 'firmware/devicetree/base/soc', name);
    this.write(join(dirname(node), '#address-cells'), cells(1));
    this.write(join(dirname(node), '#size-cells'), cells(1));
    this.write(join(node, 'compatible'), tree.compatible);
    if (tree.reg !== undefined) this.write(join(node, 'reg'), cells(...tree.reg));
    if (tree.interrupts !== false) this.write(join(node, 'interrupts'), cells(0, 29, 4));
    this.link(join(folder, 'of_node'), node);
    return folder;
  }

  /** Adds a UIO device and its node; returns its folder. */
  uio({ node, parent, name = 'uio_pci_generic', version = '0.01.0', maps = [], ports = [] }: FakeUio): string {
    const folder = join(parent, 'uio', node);
    for (const [file, text] of Object.entries({ name, version, event: '0' })) {
      this.write(join(folder, file), `${text}\n`);
    }
    for (const [index, map] of maps.entries()) {
      const values = { addr: map.address, size: map.sizeBytes, offset: map.offset ?? 0 };
      for (const [file, value] of Object.entries(values)) {
        this.write(join(folder, `maps/map${index}`, file), `${hex(value)}\n`);
      }
      this.write(join(folder, `maps/map${index}/name`), `${map.name ?? ''}\n`);
    }
    for (const [index, port] of ports.entries()) {
      const values = { start: hex(port.start), size: hex(port.sizeBytes), porttype: port.type ?? 'port_x86' };
      for (const [file, value] of Object.entries({ ...values, name: port.name ?? '' })) {
        this.write(join(folder, `portio/port${index}`, file), `${value}\n`);
      }
    }
    this.link(join(folder, 'device'), parent);
    this.link(join(this.roots.sys, 'class/uio', node), folder);
    this.write(join(this.roots.dev, node), '');
    return folder;
  }

  /** A line that carries the name of a UIO device. */
  line(number: number, actions: string, type: 'level' | 'edge'): void {
    this.write(`sys/kernel/irq/${number}/actions`, `${actions}\n`);
    this.write(`sys/kernel/irq/${number}/type`, `${type}\n`);
  }

  remove(path: string): void {
    rmSync(path, { recursive: true, force: true });
  }

  close(): void {
    this.remove(this.root);
  }
}

function cells(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value);
  return new Uint8Array(view.buffer);
}

/** Lines of first address, last address and flags, as drivers/pci/pci-sysfs.c prints them. */
function resourceText(bars: readonly FakeBar[]): string {
  return Array.from({ length: 13 }, (_, index) => {
    const found = bars.find(({ bar }) => bar === index);
    if (found === undefined) return [0, 0, 0];
    const { start, sizeBytes, kind, prefetchable, unassigned } = found;
    const flags = (kind === 'port' ? 0x40101 : 0x40200) + (prefetchable ? 0x2008 : 0) + (unassigned ? 0x2000_0000 : 0);
    return [start, start + sizeBytes - 1, flags];
  })
    .map((values) => values.map((value) => hex(value, 16)).join(' '))
    .join('\n');
}

/** A configuration header: memory and bus mastering off, INTx allowed, no capabilities. */
export function configBytes(vendor: number, device: number, pin: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(256));
  view.setUint16(0x00, vendor, true);
  view.setUint16(0x02, device, true);
  view.setUint16(0x04, 0x0103, true);
  view.setUint8(0x3c, 11);
  view.setUint8(0x3d, pin);
  return new Uint8Array(view.buffer);
}
