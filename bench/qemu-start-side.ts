// ring3's side of bench/qemu-start.ts, a process of its own: milliseconds until the backend is loaded, and from its start to
// the first register of `edu`.
const beforeLoading = performance.now();
const { QEMU_SELECTOR, QemuBackend } = await import('@ring3/backend-qemu');
const loaded = performance.now();
const backend = new QemuBackend();
const device = await backend.open(QEMU_SELECTOR.parse({ machine: 'pc', devices: ['edu'] }));
const [registers] = device.description.spaces;
if (registers === undefined) throw new Error('edu has no registers');
const identification = (await device.openSpace(registers)).read32(0);
const answered = performance.now();
await device.close();
await backend.close();
if (identification !== 0x0100_00ed) throw new Error(`edu says ${identification.toString(16)}`);
process.stdout.write(JSON.stringify({ loadMs: loaded - beforeLoading, startMs: answered - loaded }));
