import { Wire } from './wire.ts';

/** The devices of a machine: arguments for QEMU and the cables whose ends this process holds. */
export interface Devices {
  readonly qemuArguments: readonly string[];
  close(): void;
}

/**
 * Turns device names into QEMU's arguments. `pci-serial` gets a cable that ends at /dev/virtio-ports/uart0 inside the
 * machine, `pci-serial-echo` one whose other end sends everything back; everything else is QEMU's own `-device` text.
 */
export async function plugDevices(names: readonly string[], folder: string): Promise<Devices> {
  const wires: Wire[] = [];
  const qemuArguments: string[] = [];
  for (const name of names) {
    if (!name.startsWith('pci-serial')) {
      qemuArguments.push('-device', name);
      continue;
    }
    const [model = '', ...properties] = name.split(',');
    const id = `uart${wires.length}`;
    const wire = await Wire.open(folder, id, model === 'pci-serial-echo' ? 'echo' : 'guest');
    wires.push(wire);
    qemuArguments.push(...wire.qemuArguments(id), '-device', ['pci-serial', `chardev=${id}`, ...properties].join(','));
  }
  return {
    qemuArguments,
    close: () => {
      for (const wire of wires) wire.close();
    },
  };
}
