import { DeviceError, formatIdentity, formatPciAddress, hex, parsePciAddress } from '@ring3/core';
import type { Candidate } from './inventory.ts';
import type { UioSelect } from './selector.ts';
import { versionMatches } from './version-range.ts';

/**
 * The one candidate that is meant.
 * @throws DeviceError `not-found` for none, `config` for several or for versions that cannot be compared; both list
 *   what is there.
 */
export function selectCandidate(candidates: readonly Candidate[], select: UioSelect): Candidate {
  const found = candidates.filter((candidate) => isMeant(candidate, select));
  const [first] = found;
  if (first === undefined) {
    const versions = 'name' in select ? versionsOf(candidates, select.name) : '';
    throw new DeviceError(
      'not-found',
      `no device ${formatSelect(select)}${versions}; there are: ${listOf(candidates)}`,
    );
  }
  if (found.length > 1) {
    throw new DeviceError(
      'config',
      `${found.length} devices are ${formatSelect(select)}: ${listOf(found)}; select one of them by what differs`,
    );
  }
  return first;
}

/** A selection in words. */
function formatSelect(select: UioSelect): string {
  if ('pci' in select) return `at PCI address ${select.pci}`;
  if ('compatible' in select) return `compatible with "${select.compatible}"`;
  if ('vendor' in select) return `PCI ${hex(select.vendor, 16)}:${hex(select.device, 16)}`;
  return `named "${select.name}"${select.version === undefined ? '' : `, version ${select.version}`}`;
}

function isMeant({ id, identity, uio, node }: Candidate, select: UioSelect): boolean {
  if ('pci' in select) {
    const { address } = identity.pci ?? {};
    return address !== undefined && formatPciAddress(address) === formatPciAddress(parsePciAddress(select.pci));
  }
  if ('compatible' in select) return node?.compatible.includes(select.compatible) ?? false;
  if ('vendor' in select) {
    return identity.pci?.vendorId === select.vendor && identity.pci.deviceId === select.device;
  }
  if (uio?.name !== select.name) return false;
  return select.version === undefined || versionMatches(select.version, uio.version, `${id} "${uio.name}"`);
}

function versionsOf(candidates: readonly Candidate[], name: string): string {
  const versions = candidates.flatMap(({ uio }) => (uio?.name === name ? [`"${uio.version}"`] : []));
  return versions.length === 0 ? '' : ` (there is version ${versions.join(', ')})`;
}

function listOf(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return 'none, no UIO device and no PCI function';
  return candidates.map(({ id, identity }) => `${id} (${formatIdentity(identity)})`).join('; ');
}
