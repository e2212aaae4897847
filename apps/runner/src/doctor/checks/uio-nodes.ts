import { join } from 'node:path';
import type { Check } from '../context.ts';
import { namesIn, textOf } from '../files.ts';
import { type Finding, good } from '../finding.ts';
import { kernelDevice } from '../pci-files.ts';
import { uioRule } from '../udev-rules.ts';

/** Whether this process may use the UIO devices that no device of the configuration is: those are looked at with it. */
export const checkUioNodes: Check = (context) => {
  const { roots, facts, devices } = context;
  const known = devices.map((device) => kernelDevice(device, roots).node);
  const others = namesIn(join(roots.sys, 'class/uio')).filter((node) => !known.includes(node));
  return others.map((node): Finding => {
    const name = textOf(join(roots.sys, 'class/uio', node, 'name')) ?? '';
    const about = name === '' ? node : `${node} "${name}"`;
    const errno = facts.access(join(roots.dev, node));
    if (errno === undefined) return good(about, `/dev/${node} can be read and written`);
    return errno === 'ENOENT' ? hidden(about, node) : closed(about, node, name, facts.user);
  });
};

function hidden(about: string, node: string): Finding {
  return {
    level: 'warning',
    about,
    says: `there is no /dev/${node}`,
    cause:
      'the kernel has the device and this process does not see its node: a container, or a unit with PrivateDevices=yes',
    remedy: `[Service]\nPrivateDevices=no\nDeviceAllow=/dev/${node} rw\n# in a container: docker run --device /dev/${node}`,
  };
}

function closed(about: string, node: string, name: string, user: string): Finding {
  return {
    level: 'warning',
    about,
    says: `/dev/${node}: no permission for ${user}`,
    cause: 'the node belongs to root until a rule gives it to a group',
    remedy: `${newGroup(user)}\n${addRule(uioRule(name))}\nsudo udevadm control --reload && sudo udevadm trigger --subsystem-match=uio`,
  };
}

/** Adds to the rules for nodes; those for a configuration are a file of their own, which is written as a whole. */
export function addRule(rule: string): string {
  return `echo '${rule}' | sudo tee -a /etc/udev/rules.d/60-ring3-nodes.rules`;
}

/** Makes the group of the rules, and the user a member. */
export function newGroup(user: string): string {
  return `sudo groupadd --system --force ring3 && sudo usermod -aG ring3 ${user}  # then log in anew`;
}
