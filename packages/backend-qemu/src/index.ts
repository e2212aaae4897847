export { QemuBackend, type QemuBackendOptions, qemuBackend, qemuBackend as default } from './backend.ts';
export type { DeviceSpec, DriveFault, DriveSpec, MachineSpec, TerminalSpec } from './machine/machine-spec.ts';
export { type MachineOptions, QemuMachine } from './machine/qemu-machine.ts';
export { QEMU_SELECTOR, type QemuSelect, type QemuSelector } from './selector.ts';
