import type { MemoryCopy } from './memory-copies.ts';

/** What the first process of the machine has to know. */
export interface InitOptions {
  /** Folders of the host below which the machine gets memory of its own: /tmp, /run. */
  readonly volatile: readonly string[];
  /** Folders that stay visible although they lie below one of these. */
  readonly kept: readonly string[];
  /** Folder of the host that holds lib/modules of this kernel. */
  readonly modulesRoot: string;
  /** Folders of the host that lie in the initramfs as well, where they are read faster. */
  readonly copies: readonly MemoryCopy[];
  readonly interactive: boolean;
}

/** The folder inside the machine that host and guest share for writing. */
export const guestShare = '/run/ring3-vm';

const mount9p = 'mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000';

/**
 * The init script: mounts the host's root read-only, puts memory over what has to be writable, runs
 * `command.sh` of the share in it and leaves its exit status there.
 */
export function initScript({ volatile, kept, modulesRoot, copies, interactive }: InitOptions): string {
  return `#!/bin/busybox sh
export PATH=/bin:/sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod $module || echo "insmod $module failed"; done
stop() { dmesg > /host${guestShare}/kernel.log; poweroff -f; }
${mount9p},ro,cache=loose host /host || { echo "cannot mount the root of the host"; poweroff -f; }
mkdir -p /dev/pts /dev/shm /dev/virtio-ports
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t debugfs debugfs /sys/kernel/debug
ln -s /proc/self/fd /dev/fd
for number in 0 1 2; do ln -s /proc/self/fd/$number /dev/$(echo stdin stdout stderr | cut -d ' ' -f $((number + 1))); done
${kept.map((path, index) => `mkdir /keep/${index}; mount --bind ${quote(`/host${path}`)} /keep/${index}`).join('\n')}
${volatile.map((path) => `[ -d /host${path} ] && mount -t tmpfs -o mode=1777 tmpfs /host${path}`).join('\n')}
${kept.map((path, index) => `mkdir -p ${quote(`/host${path}`)}; mount --bind /keep/${index} ${quote(`/host${path}`)}`).join('\n')}
${copies.map(({ path, copy }) => `mount --bind ${copy} ${quote(`/host${path}`)}`).join('\n')}
mount --bind ${quote(`/host${modulesRoot}/lib/modules`)} /lib/modules
mkdir -p /host${guestShare}
${mount9p},cache=none share /host${guestShare} || { echo "cannot mount the share"; poweroff -f; }
for folder in dev proc sys; do mount --rbind /$folder /host/$folder; done
for port in /sys/class/virtio-ports/*; do ln -s /dev/$(basename $port) /dev/virtio-ports/$(cat $port/name); done
hostname ring3-vm
ip link set lo up
${interactive ? interactiveRun : pipedRun}
stop
`;
}

const interactiveRun = `
setsid -c chroot /host /bin/sh ${guestShare}/command.sh < /dev/hvc0 > /dev/hvc0 2>&1
echo $? > /host${guestShare}/status`;

/** Output goes through pipes and not straight to the ports, which only one process at a time can open. */
const pipedRun = `
{ { chroot /host /bin/sh ${guestShare}/command.sh < /dev/null 2>&3 3>&-; echo $? > /host${guestShare}/status; } \\
  | cat > /dev/virtio-ports/stdout; } 3>&1 | cat > /dev/virtio-ports/stderr
sync`;

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
