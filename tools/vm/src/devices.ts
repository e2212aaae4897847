import { Wire } from './wire.ts';

/** The devices of a machine: arguments for QEMU and the cables whose ends this process holds. */
export interface Devices {
  readonly qemuArguments: readonly string[];
  /** By the id of the serial port: uart0, uart1. */
  readonly wires: ReadonlyMap<string, Wire>;
}

/**
 * Turns device names into QEMU's arguments. `pci-serial` gets a cable that ends at /dev/virtio-ports/uart0 inside the
 * machine, `pci-serial-echo` one whose other end sends everything back; everything else is QEMU's own `-device` text.
 */
export async function plugDevices(names: readonly string[], folder: string): Promise<Devices> {
  const wires = new Map<string, Wire>();
  const qemuArguments: string[] = [];
  for (const name of names) {
    if (!name.startsWith('pci-serial')) {
      qemuArguments.push('-device', name);
      continue;
    }
    const [model = '', ...properties] = name.split(',');
    const id = `uart${wires.size}`;
    const wire = await Wire.open(folder, id, model === 'pci-serial-echo' ? 'echo' : 'guest');
    wires.set(id, wire);
    qemuArguments.push(...wire.qemuArguments(id), '-device', ['pci-serial', `chardev=${id}`, ...properties].join(','));
  }
  return { qemuArguments, wires };
}
