import type { Check } from '../context.ts';

/** Whether this process sees who has claimed devices: where it does not, it gets none. */
export const checkClaims: Check = ({ claimsError, devices }) => {
  if (claimsError === undefined) return [];
  const isNeeded = devices.some(({ backend }) => backend === 'uio' || backend === 'devmem');
  return [
    {
      level: isNeeded ? 'problem' : 'warning',
      about: 'claims',
      says: 'those of others are hidden',
      cause: claimsError,
      remedy:
        'sudo chmod o+rx /run/ring3/claims && sudo chmod o+r /run/ring3/claims/*\n# or join its group: ls -ld /run/ring3/claims',
    },
  ];
};
