// A process that opens an edu device and says which QEMU it has, until it is killed.
import { QemuBackend } from './backend.ts';
import { shareMachine } from './machine/machine-registry.ts';
import { QEMU_SELECTOR } from './selector.ts';

const section = QEMU_SELECTOR.parse({ machine: 'pc', devices: ['edu'] });
const backend = new QemuBackend();
await backend.open(section);
const { machine } = await shareMachine(backend.specOf(section));
process.stdout.write(`${JSON.stringify(machine.places)}\n`);
