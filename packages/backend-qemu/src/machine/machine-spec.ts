/** A value of a property of a device, as QEMU's JSON takes it. */
export type PropertyValue = string | number | boolean;

/** One `-device`. */
export interface DeviceSpec {
  readonly driver: string;
  readonly [property: string]: PropertyValue;
}

/** An error that a drive shall have: a rule of QEMU's blkdebug. */
export interface DriveFault {
  /** `read_aio`, `write_aio`, `flush_to_disk` and others of blkdebug. */
  readonly event: string;
  /** The 512-byte sector that a request must touch. Default: any. */
  readonly sector?: number | undefined;
  /** Default 5, EIO. */
  readonly errno?: number | undefined;
  /** Only the first time. Default false. */
  readonly once?: boolean | undefined;
}

/** An image that devices name by `drive: id`. */
export interface DriveSpec {
  readonly id: string;
  /** An absolute path. */
  readonly file: string;
  /** `raw` or `qcow2`. */
  readonly format: string;
  readonly readOnly: boolean;
  readonly faults: readonly DriveFault[];
}

/** A terminal of the host that a serial device names by `chardev: id`: the other end of its line. */
export interface TerminalSpec {
  readonly id: string;
  /** An absolute path: `/dev/pts/3`, `/dev/ttyUSB0`. */
  readonly path: string;
}

/** Which QEMU is meant: equal ones are one QEMU. */
export interface MachineSpec {
  /** The name of a board. */
  readonly machine: string;
  readonly devices: readonly DeviceSpec[];
  readonly drives: readonly DriveSpec[];
  readonly terminals?: readonly TerminalSpec[];
}

/** A short name for a machine: equal for equal specifications, in every process. */
export function machineKey(spec: MachineSpec): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 12);
}

/** The id of a device; those without one are numbered in order. */
export function deviceId(device: DeviceSpec, index: number): string {
  return typeof device['id'] === 'string' ? device['id'] : `device${index}`;
}
