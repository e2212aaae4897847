/** A capability of a PCI function. */
export interface PciCapability {
  readonly id: number;
  readonly offset: number;
}

/** What the capability for message signalled interrupts says. */
export interface MsiState {
  readonly enabled: boolean;
  /** Pending vectors; only where the function can mask them one by one. */
  readonly pending?: number;
}

/** The part of the configuration header that decides about interrupts and DMA. Source: PCI Local Bus 3.0, section 6. */
export interface PciHeader {
  readonly vendorId: number;
  readonly command: number;
  readonly status: number;
  /** 0: a device; 1: a bridge. */
  readonly headerType: number;
  /** 0: none; 1 to 4: INTA to INTD. */
  readonly interruptPin: number;
  /** `undefined` where the bytes end before the list does: without CAP_SYS_ADMIN the kernel shows 64. */
  readonly capabilities: readonly PciCapability[] | undefined;
  readonly msi: MsiState | undefined;
}

const STATUS_CAPABILITIES = 0x10;
const CAPABILITY_MSI = 0x05;
const MSI_ENABLE = 0x01;
const MSI_64 = 0x80;
const MSI_MASKS = 0x100;
/** Enough for 192 bytes of capabilities of 4 bytes each; a list that is longer runs in a circle. */
const MOST_CAPABILITIES = 48;

/** Reads the first bytes of configuration space; `undefined` for less than a header. */
export function parsePciHeader(bytes: Uint8Array): PciHeader | undefined {
  if (bytes.length < 64) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const status = view.getUint16(0x06, true);
  const capabilities = (status & STATUS_CAPABILITIES) === 0 ? [] : readCapabilities(view);
  const msi = capabilities?.find(({ id }) => id === CAPABILITY_MSI);
  return {
    vendorId: view.getUint16(0x00, true),
    command: view.getUint16(0x04, true),
    status,
    headerType: view.getUint8(0x0e) & 0x7f,
    interruptPin: view.getUint8(0x3d),
    capabilities,
    msi: msi === undefined ? undefined : readMsi(view, msi.offset),
  };
}

function readCapabilities(view: DataView): PciCapability[] | undefined {
  const found: PciCapability[] = [];
  for (let offset = view.getUint8(0x34) & 0xfc; offset !== 0; offset = view.getUint8(offset + 1) & 0xfc) {
    if (offset + 2 > view.byteLength) return undefined;
    if (offset < 0x40 || found.length === MOST_CAPABILITIES) return found;
    found.push({ id: view.getUint8(offset), offset });
  }
  return found;
}

function readMsi(view: DataView, offset: number): MsiState | undefined {
  if (offset + 4 > view.byteLength) return undefined;
  const control = view.getUint16(offset + 2, true);
  const enabled = (control & MSI_ENABLE) !== 0;
  const pending = offset + ((control & MSI_64) === 0 ? 0x10 : 0x14);
  if ((control & MSI_MASKS) === 0 || pending + 4 > view.byteLength) return { enabled };
  return { enabled, pending: view.getUint32(pending, true) };
}
