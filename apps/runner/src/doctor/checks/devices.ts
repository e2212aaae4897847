import type { Check, DoctorContext, ExaminedDevice } from '../context.ts';
import { type Finding, good } from '../finding.ts';
import { kernelDevice } from '../pci-files.ts';
import { unbindCommands } from '../unbind-commands.ts';

/** Whether each device of the configuration can be used. */
export const checkDevices: Check = (context) => context.devices.flatMap((device) => examine(device, context));

function examine(device: ExaminedDevice, context: DoctorContext): Finding[] {
  const closed = closedFiles(device, context);
  const obstacles = (device.description?.obstacles ?? []).filter((text) => !closed.some((path) => text.includes(path)));
  return [
    found(device, context),
    ...device.problems.map((text) => wrong(device, text)),
    ...obstacles.map((text) => obstructed(device, text, context)),
    ...(closed.length === 0 ? [] : [notPermitted(device, closed, context)]),
    ...holderOf(device, context),
  ];
}

function aboutOf({ name }: ExaminedDevice): string {
  return `device ${name}`;
}

function found(device: ExaminedDevice, { roots }: DoctorContext): Finding {
  const { backend = 'none', description } = device;
  const { pci, driver, node } = kernelDevice(device, roots);
  const bound = driver ?? (pci === undefined ? undefined : 'none');
  const parts = [
    `backend ${backend}`,
    description?.id,
    bound === undefined ? undefined : `driver of the kernel: ${bound}`,
    node === undefined ? undefined : `/dev/${node}`,
  ];
  return good(aboutOf(device), parts.filter((part) => part !== undefined).join(', '));
}

function wrong(device: ExaminedDevice, cause: string): Finding {
  const [install] = /apt-get install [\w-]+$/.exec(cause) ?? [];
  const remedy =
    install === undefined
      ? 'ring3 devices  # lists what this machine has; then correct that place of the configuration'
      : `sudo ${install}`;
  return { level: 'problem', about: aboutOf(device), says: 'not usable as it is configured', cause, remedy };
}

/** An obstacle is one sentence: `SPACE: cause: remedy`, or without the space. */
const OBSTACLE = /^(?<cause>(?:\S+: )?.*?\s.*?): (?<remedy>.+)$/s;

function obstructed(device: ExaminedDevice, text: string, context: DoctorContext): Finding {
  const { cause = text, remedy = 'see the message' } = OBSTACLE.exec(text)?.groups ?? {};
  const about = aboutOf(device);
  // What cannot be looked up may be as it should be; a device that has no line can be used by polling.
  if (/\bis not known$|\bhas no interrupt line\b/.test(cause))
    return { level: 'warning', about, says: 'perhaps not usable in full', cause, remedy };
  const unbind = /the kernel holds/.test(cause) ? unbindCommands(device, context.roots) : [];
  return { level: 'problem', about, says: 'cannot be used as it is', cause, remedy: [remedy, ...unbind].join('\n') };
}

function closedFiles(device: ExaminedDevice, { roots, facts }: DoctorContext): string[] {
  if (device.backend !== 'uio') return [];
  return kernelDevice(device, roots)
    .files.filter(({ path }) => facts.access(path) !== undefined)
    .map(({ path }) => path);
}

function notPermitted(device: ExaminedDevice, closed: readonly string[], { facts }: DoctorContext): Finding {
  return {
    level: 'problem',
    about: aboutOf(device),
    says: `no permission for ${facts.user}: ${closed.join(', ')}`,
    cause: 'these files belong to root until rules give them to a group; those of sysfs need rules of their own',
    remedy:
      'ring3 doctor CONFIG --udev | sudo tee /etc/udev/rules.d/60-ring3.rules\nsudo udevadm control --reload && sudo udevadm trigger\n# ProtectKernelTunables=yes or PrivateDevices=yes in a unit closes them again',
  };
}

function holderOf(device: ExaminedDevice, { claims }: DoctorContext): Finding[] {
  const { description } = device;
  if (description === undefined) return [];
  const holder = claims.find(
    (claim) =>
      claim.device === description.id ||
      claim.ranges.some((range) =>
        description.spaces.some(
          (space) =>
            space.kind === range.kind &&
            space.start < range.start + BigInt(range.sizeBytes) &&
            range.start < space.start + BigInt(space.sizeBytes),
        ),
      ),
  );
  if (holder === undefined) return [];
  return [
    {
      level: 'warning',
      about: aboutOf(device),
      says: `in use: ${holder.holder} (process ${holder.pid})`,
      cause: 'a device has one driver at a time; a second rig is refused',
      remedy: `kill -TERM ${holder.pid}  # ring3 claims shows all`,
    },
  ];
}
