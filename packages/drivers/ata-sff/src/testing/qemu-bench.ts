import { QEMU_SELECTOR, QemuBackend } from '@ring3/backend-qemu';
import { type Bench, openBench } from './bench.ts';

/** QEMU's piix3-ide with these images: channel 0 device 0 and 1, then channel 1. */
export async function qemuBench(images: readonly (string | undefined)[]): Promise<Bench> {
  const places = images.flatMap((file, index) => (file === undefined ? [] : [{ file, index }]));
  const backend = new QemuBackend();
  const selector = QEMU_SELECTOR.parse({
    machine: 'pc',
    drives: places.map(({ file, index }) => ({ id: `d${index}`, file })),
    devices: places.map(({ index }) => ({
      driver: 'ide-hd',
      drive: `d${index}`,
      bus: `ide.${index >> 1}`,
      unit: index & 1,
      serial: `R3SIM${index + 1}`,
    })),
    select: 'ide',
  });
  const device = await backend.open(selector);
  const bench = await openBench({ name: 'QEMU', device, run: (work) => work, pauseUs: 0 });
  return { ...bench, close: () => backend.close() };
}
