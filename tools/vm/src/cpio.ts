/** One file, folder or symbolic link of an archive. */
export interface ArchiveEntry {
  /** Path without a leading slash. */
  readonly path: string;
  /** Type and permissions as in stat(2): 0o100755 is a program, 0o040755 a folder. */
  readonly mode: number;
  readonly data?: Uint8Array;
}

/** Packs entries as the "newc" cpio archive that Linux takes as initramfs (Documentation/driver-api/early-userspace). */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const end: ArchiveEntry = { path: 'TRAILER!!!', mode: 0 };
  return Buffer.concat([...entries, end].flatMap((entry, index) => packEntry(entry, index + 1)));
}

function packEntry({ path, mode, data = new Uint8Array() }: ArchiveEntry, inode: number): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, four device numbers, name size, checksum
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}
