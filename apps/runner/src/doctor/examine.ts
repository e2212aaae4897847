import { isDeviceError } from '@ring3/core';
import { type LinuxRoots, linuxRoots, listClaims } from '@ring3/linux';
import { checkCapabilities } from './checks/capabilities.ts';
import { checkClaims } from './checks/claims.ts';
import { checkDevMem, checkResourcesShown } from './checks/dev-mem.ts';
import { checkDevices } from './checks/devices.ts';
import { checkIoPorts } from './checks/io-ports.ts';
import { checkIommu } from './checks/iommu.ts';
import { checkKernelParameters } from './checks/kernel-parameters.ts';
import { checkLimits } from './checks/limits.ts';
import { checkLockdown } from './checks/lockdown.ts';
import { checkNative } from './checks/native.ts';
import { checkNode } from './checks/node-version.ts';
import { checkPlatform } from './checks/platform.ts';
import { checkUioModules } from './checks/uio-modules.ts';
import { checkUioNodes } from './checks/uio-nodes.ts';
import type { Check, DoctorContext, ExaminedDevice } from './context.ts';
import { type Facts, gatherFacts } from './facts.ts';
import type { Finding } from './finding.ts';

/** What makes no sense elsewhere is asked only after these are good. */
const GROUNDS: readonly Check[] = [checkNode, checkPlatform, checkNative];

const CHECKS: readonly Check[] = [
  checkUioModules,
  checkUioNodes,
  checkDevMem,
  checkIoPorts,
  checkCapabilities,
  checkLockdown,
  checkResourcesShown,
  checkKernelParameters,
  checkIommu,
  checkLimits,
  checkClaims,
  checkDevices,
];

/** Looks at everything, changes nothing. */
export function examine(context: DoctorContext): Finding[] {
  const grounds = GROUNDS.flatMap((check) => check(context));
  if (context.facts.platform !== 'linux') return grounds;
  return [...grounds, ...CHECKS.flatMap((check) => check(context))];
}

/** Gathers what the checks look at on this machine. */
export function contextOf(
  devices: readonly ExaminedDevice[],
  roots: LinuxRoots = {},
  facts: Facts = gatherFacts(),
): DoctorContext {
  const canAsk = facts.platform === 'linux' && facts.nativeError === undefined;
  return { roots: linuxRoots(roots), facts, devices, ...(canAsk ? askClaims() : NO_CLAIMS) };
}

type Claims = Pick<DoctorContext, 'claims' | 'claimsError'>;
const NO_CLAIMS: Claims = { claims: [], claimsError: undefined };

function askClaims(): Claims {
  try {
    return { claims: listClaims(), claimsError: undefined };
  } catch (error) {
    if (!isDeviceError(error, 'permission')) throw error;
    return { claims: [], claimsError: error.message };
  }
}
