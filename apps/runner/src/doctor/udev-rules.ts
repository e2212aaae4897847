import type { LinuxRoots } from '@ring3/linux';
import type { ExaminedDevice } from './context.ts';
import { kernelDevice } from './pci-files.ts';

/** The group that the rules give the devices to. */
const GROUP = 'ring3';

const HEAD = `# Devices for the group ${GROUP}, which must exist: groupadd --system ${GROUP}
# Put this into /etc/udev/rules.d/60-ring3.rules, then: udevadm control --reload && udevadm trigger
`;

/** The rule that opens the node of a UIO device by its name. */
export function uioRule(name: string): string {
  return `SUBSYSTEM=="uio", ATTR{name}=="${name}", GROUP="${GROUP}", MODE="0660"`;
}

/** A complete rules file for the devices of a configuration. */
export function udevRules(devices: readonly ExaminedDevice[], roots: Required<LinuxRoots>): string {
  const parts = devices.map((device) => [`\n# ${device.name}: ${backendOf(device)}`, ...rulesOf(device, roots)]);
  return `${HEAD}${parts.flat().join('\n')}\n`;
}

function backendOf({ backend, description }: ExaminedDevice): string {
  return [backend ?? 'no backend', description?.id].filter((part) => part !== undefined).join(' ');
}

function rulesOf(device: ExaminedDevice, roots: Required<LinuxRoots>): string[] {
  if (device.backend === 'devmem') return devmemRules(device);
  if (device.backend !== 'uio') return ['# needs no rule'];
  const { pci, uioName } = kernelDevice(device, roots);
  if (pci !== undefined) return pciRules(pci, device);
  if (uioName === undefined)
    return ['# the kernel has no UIO device for it now: run this again when its driver is bound'];
  return [uioRule(uioName)];
}

/** Files in sysfs know no GROUP and MODE of a rule: a command changes them. */
function pciRules(address: string, { description }: ExaminedDevice): string[] {
  const bars = [...new Set(description?.spaces.map(({ bar }) => bar).filter((bar) => bar !== undefined))];
  const files = ['config', ...bars.map((bar) => `resource${bar}`)].map((file) => `$sys$devpath/${file}`).join(' ');
  const device = `SUBSYSTEM=="pci", KERNEL=="${address}"`;
  return [
    `ACTION=="add|change|bind", ${device}, RUN+="/bin/chgrp ${GROUP} ${files}", RUN+="/bin/chmod 0660 ${files}"`,
    `SUBSYSTEM=="uio", KERNELS=="${address}", GROUP="${GROUP}", MODE="0660"`,
    `# uio_pci_generic takes it at start, unless another driver was there first (ring3 bind ${address} is for that):`,
    `ACTION=="add", ${device}, ATTR{driver_override}="uio_pci_generic"`,
  ];
}

function devmemRules({ section }: ExaminedDevice): string[] {
  const ports = Array.isArray(section['ports']) ? (section['ports'] as { readonly through?: string }[]) : [];
  return [
    ...(Array.isArray(section['memory']) ? [nodeRule('mem')] : []),
    ...(ports.some((entry) => entry?.through === 'dev-port') ? [nodeRule('port')] : []),
    '# and in the unit of the service: AmbientCapabilities=CAP_SYS_RAWIO',
  ];
}

function nodeRule(name: string): string {
  return `KERNEL=="${name}", SUBSYSTEM=="mem", GROUP="${GROUP}", MODE="0660"`;
}
