import { NativeLibrary } from './native.ts';

/** `PROT_READ | PROT_WRITE`. */
export const PROT_READ_WRITE = 3;
/** `PROT_READ`. */
export const PROT_READ = 1;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
/** Nothing is set aside for pages that nobody touches, as V8 maps its own memory. */
export const MAP_NORESERVE = 0x4000;
/** Gives the pages now, not when they are touched. */
export const MAP_POPULATE = 0x8000;
export const MFD_CLOEXEC = 1;
/** A file of huge pages of 2 MiB: `MFD_HUGETLB | MFD_HUGE_2MB`. */
export const MFD_HUGE_PAGES = 0x5400_0004;
const SC_PAGESIZE = 30;

/** More than `struct termios` takes in any libc. */
export const TERMIOS_BYTES = 256;

const none = new Uint8Array(1);
const termios = new Uint8Array(TERMIOS_BYTES);

function open() {
  return new NativeLibrary('c', '', {
    /** The address is that of a Uint8Array, with MAP_FIXED. Harmless: a length of 0 is EINVAL. */
    mmap: {
      returns: 'i64',
      takes: ['bytes', 'i64', 'i32', 'i32', 'i32', 'i64'],
      harmless: [none, 0n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n],
    },
    /** The address is a number, 0 for anywhere. */
    mmapAt: {
      symbol: 'mmap',
      returns: 'i64',
      takes: ['i64', 'i64', 'i32', 'i32', 'i32', 'i64'],
      harmless: [0n, 0n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n],
    },
    munmap: { returns: 'i32', takes: ['i64', 'i64'], harmless: [0n, 0n] },
    /** Harmless: these flags are EINVAL. */
    memfd_create: { returns: 'i32', takes: ['string', 'u32'], harmless: ['', 0xffff_ffff] },
    /** Locks of open file descriptions; the argument is a `struct flock`. Harmless: no descriptor has the number -1. */
    fcntl: { returns: 'i32', takes: ['i32', 'i32', 'bytes'], harmless: [-1, 0, none] },
    eventfd: { returns: 'i32', takes: ['u32', 'i32'], harmless: [0, -1] },
    ioctl: { returns: 'i32', takes: ['i32', 'i64', 'bytes'], harmless: [-1, 0n, none] },
    poll: { returns: 'i32', takes: ['bytes', 'i64', 'i32'], harmless: [none, 0n, 0] },
    socket: { returns: 'i32', takes: ['i32', 'i32', 'i32'], harmless: [-1, 0, 0] },
    sendto: {
      returns: 'i64',
      takes: ['i32', 'bytes', 'i64', 'i32', 'bytes', 'i32'],
      harmless: [-1, none, 0n, 0, none, 0],
    },
    bind: { returns: 'i32', takes: ['i32', 'bytes', 'i32'], harmless: [-1, none, 0] },
    listen: { returns: 'i32', takes: ['i32', 'i32'], harmless: [-1, 0] },
    connect: { returns: 'i32', takes: ['i32', 'bytes', 'i32'], harmless: [-1, none, 0] },
    setsockopt: { returns: 'i32', takes: ['i32', 'i32', 'i32', 'bytes', 'i32'], harmless: [-1, 0, 0, none, 0] },
    recv: { returns: 'i64', takes: ['i32', 'bytes', 'i64', 'i32'], harmless: [-1, none, 0n, 0] },
    epoll_create1: { returns: 'i32', takes: ['i32'], harmless: [-1] },
    epoll_ctl: { returns: 'i32', takes: ['i32', 'i32', 'i32', 'bytes'], harmless: [-1, 0, -1, none] },
    unlockpt: { returns: 'i32', takes: ['i32'], harmless: [-1] },
    ptsname_r: { returns: 'i32', takes: ['i32', 'bytes', 'i64'], harmless: [-1, none, 1n] },
    tcgetattr: { returns: 'i32', takes: ['i32', 'bytes'], harmless: [-1, termios] },
    cfmakeraw: { returns: 'i32', takes: ['bytes'], harmless: [termios] },
    tcsetattr: { returns: 'i32', takes: ['i32', 'i32', 'bytes'], harmless: [-1, 0, termios] },
    /** For descriptors that Node has not opened; a worker warns when its own close meets one. */
    close: { returns: 'i32', takes: ['i32'], harmless: [-1] },
    sysconf: { returns: 'i64', takes: ['i32'], harmless: [SC_PAGESIZE] },
  });
}

let library: ReturnType<typeof open> | undefined;

/** The functions of the C library that ring3 calls. @throws Error where ffi-rs does not load; says on what it runs. */
export function libc(): ReturnType<typeof open> {
  library ??= open();
  return library;
}

/** The size of a page of this machine, in bytes: 4096, 16384 or 65536. */
export function pageSizeBytes(): number {
  return Number(libc().tryCall('sysconf', [SC_PAGESIZE]));
}
