import { join } from 'node:path';
import type { Check, DoctorContext } from '../context.ts';
import { exists, textOf } from '../files.ts';
import { type Finding, good } from '../finding.ts';
import { kernelDevice } from '../pci-files.ts';

type State = 'loaded' | 'built in' | 'not loaded' | 'missing' | 'unknown';

/** Whether the kernel has UIO, and the drivers that give it devices. */
export const checkUioModules: Check = (context) => {
  const { sys, proc } = context.roots;
  const wanted = ['uio'];
  if (exists(join(sys, 'bus/pci'))) wanted.push('uio_pci_generic');
  const hasTree = exists(join(sys, 'firmware/devicetree/base')) || exists(join(proc, 'device-tree'));
  if (hasTree) wanted.push('uio_pdrv_genirq');
  const states = wanted.map((module) => ({ module, state: stateOf(module, context) }));
  // What needs the core is not there either.
  const found = states[0]?.state === 'missing' ? states.slice(0, 1) : states;
  return found.flatMap(({ module, state }) => judge(module, state, context));
};

function judge(module: string, state: State, context: DoctorContext): Finding[] {
  const about = `module ${module}`;
  if (state === 'loaded' || state === 'built in') return [good(about, state)];
  // Whoever has the driver has the core: modprobe loads both.
  if (module === 'uio' && state === 'not loaded') return [];
  const level = isWanted(module, context) ? 'problem' : 'warning';
  if (state === 'missing') return [{ level, about, says: 'this kernel does not have it', ...missing(module, context) }];
  const cause =
    state === 'unknown'
      ? `there is no ${context.facts.modulesFolder} to look it up in: this may be a container`
      : 'nothing on this machine asked for it so far';
  const remedy = `sudo modprobe ${module} && echo ${module} | sudo tee -a /etc/modules-load.d/ring3.conf`;
  return [{ level, about, says: 'not loaded', cause, remedy }];
}

/** Whether a device of the configuration that has no UIO device yet would get it from this module. */
function isWanted(module: string, { devices, roots }: DoctorContext): boolean {
  return devices.some((device) => {
    if (device.backend !== 'uio') return false;
    const { pci, node } = kernelDevice(device, roots);
    return node === undefined && (module === 'uio' || (module === 'uio_pci_generic') === (pci !== undefined));
  });
}

function missing(module: string, { facts }: DoctorContext): { cause: string; remedy: string } {
  const option = `CONFIG_${module.toUpperCase()}`;
  if (module === 'uio_pdrv_genirq') {
    return {
      cause: `Linux ${facts.kernel} was built without ${option}, as Debian's kernels are`,
      remedy: [
        'sudo apt-get install linux-source build-essential "linux-headers-$(uname -r)" && tar xf /usr/src/linux-source-*.tar.xz',
        `make -C /lib/modules/$(uname -r)/build M=$PWD/$(echo linux-source-*/drivers/uio) ${option}=m modules`,
        `sudo insmod linux-source-*/drivers/uio/${module}.ko of_id=generic-uio`,
      ].join('\n'),
    };
  }
  return {
    cause: `Linux ${facts.kernel} was built without ${option}`,
    remedy: `zcat /proc/config.gz | grep UIO  # or /boot/config-${facts.kernel}; then install a kernel with ${option}=m (Debian: linux-image-amd64), or reach the device with backend: { type: devmem }`,
  };
}

function stateOf(module: string, { roots, facts }: DoctorContext): State {
  if (exists(join(roots.sys, 'module', module))) return 'loaded';
  const builtIn = textOf(join(facts.modulesFolder, 'modules.builtin'));
  const modules = textOf(join(facts.modulesFolder, 'modules.dep'));
  if (listed(module, builtIn)) return 'built in';
  if (listed(module, modules)) return 'not loaded';
  return builtIn === undefined && modules === undefined ? 'unknown' : 'missing';
}

/** Files may have dashes where modules have underscores, and be compressed. */
function listed(module: string, list = ''): boolean {
  const file = module.replaceAll('_', '[-_]');
  return new RegExp(`(?:^|/)${file}\\.ko(?:\\.(?:xz|gz|zst))?(?::|$)`, 'm').test(list);
}
