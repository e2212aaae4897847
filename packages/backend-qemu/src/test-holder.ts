// A process that opens an edu device and says which QEMU it has, until it is killed.
import { QemuBackend } from './backend.ts';
import { QEMU_SELECTOR } from './selector.ts';

const section = QEMU_SELECTOR.parse({ machine: 'pc', devices: ['edu'] });
const backend = new QemuBackend();
await backend.open(section);
const { places } = await backend.machineOf(section);
process.stdout.write(`${JSON.stringify(places)}\n`);
