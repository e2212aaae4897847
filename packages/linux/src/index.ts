export { busTranslation } from './bus-translation.ts';
export { type ClaimDirectories, findClaimDirectories } from './claim-directory.ts';
export type { ClaimedRange, HeldClaim } from './claim-text.ts';
export { checkEngine, type EngineCheck } from './engine.ts';
export { createEventFd, type EventFd } from './event-fd.ts';
export { HugePageLoan, type HugePageLoanOptions } from './huge-page-loan.ts';
export { HUGE_PAGE_MEMORY, type HugePages, hugePageObstacle, openHugePages } from './huge-pages.ts';
export { bytesWaiting, ioctl } from './ioctl.ts';
export {
  type KernelResource,
  type KernelResources,
  parseResourceFile,
  readKernelResources,
} from './kernel-resources.ts';
export { pageSizeBytes } from './libc.ts';
export { type LockedRange, lockRange, rangeHolder, unlockRange } from './lock-range.ts';
export { type ClaimOptions, claimMachine, listClaims, type MachineClaim } from './machine-claim.ts';
export { mapMemory, mappedBytes, mapRegisters, pageSpan } from './map-registers.ts';
export type { MapOptions, MappedMemory, MappedRegisters } from './mapping.ts';
export { createMemoryFile } from './memory-file.ts';
export { notifySystemd } from './notify-systemd.ts';
export { openPorts } from './open-ports.ts';
export { poll, type ReadyDescriptor } from './poll.ts';
export { devPortAccess, type FileAccess, portFileAccess } from './port-files.ts';
export { openPseudoTerminal, type PseudoTerminal } from './pseudo-terminal.ts';
export { type LinuxRoots, linuxRoots } from './roots.ts';
export { deviceErrorOf, errnoOf, SystemCallError } from './system-call-error.ts';
export { connectUnix, createReadinessOf, listenUnix, receiveWaiting, setSocketTimeout } from './unix-socket.ts';
export { type Watch, type WatchEvent, watchReadable } from './watch-readable.ts';
