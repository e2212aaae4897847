// For the tests of this repository: not part of the published package.
export { NbdDisk } from './nbd-disk.ts';
export { RawClient } from './raw-client.ts';
