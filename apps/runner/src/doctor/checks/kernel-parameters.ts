import { join } from 'node:path';
import { type Check, complain, type DoctorContext } from '../context.ts';
import { exists, textOf } from '../files.ts';
import { type Finding, good } from '../finding.ts';

/** Parameters of the kernel that decide about devices. */
export const checkKernelParameters: Check = (context) => {
  const line = textOf(join(context.roots.proc, 'cmdline')) ?? '';
  const about = 'kernel parameters';
  const known = ['iomem', 'lockdown', 'intel_iommu', 'amd_iommu', 'iommu', 'uio_pdrv_genirq.of_id'];
  const set = line.split(/\s+/).filter((word) => known.includes(word.split('=', 1)[0] ?? ''));
  return [good(about, set.join(' ') || 'none of those that matter'), ...treeDevices(context)];
};

/** uio_pdrv_genirq takes no device of a device tree until it is told which. */
function treeDevices(context: DoctorContext): Finding[] {
  const module = join(context.roots.sys, 'module/uio_pdrv_genirq');
  if (!exists(module)) return [];
  const about = 'uio_pdrv_genirq.of_id';
  const id = textOf(join(module, 'parameters/of_id')) ?? '';
  if (id !== '' && id !== '(null)') return [good(about, id)];
  return [
    complain('uio', context, {
      about,
      says: 'not set',
      cause: 'the driver takes no device of the device tree until it is told the compatible string',
      remedy:
        'echo options uio_pdrv_genirq of_id=generic-uio | sudo tee /etc/modprobe.d/ring3.conf\n# built in: add uio_pdrv_genirq.of_id=generic-uio to the kernel command line; nodes say compatible = "generic-uio"',
    }),
  ];
}
