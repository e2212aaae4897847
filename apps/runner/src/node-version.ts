/** The oldest Node that ring3 runs on. */
const OLDEST = [22, 18] as const;

/** Why this version of Node does not do, and what does; `undefined` when it does. */
export function tooOld(version: string): { readonly cause: string; readonly remedy: string } | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  return {
    cause: `ring3 needs Node ${OLDEST.join('.')} or later (22, 24 or 26)`,
    remedy: 'curl -fsSL https://deb.nodesource.com/setup_24.x | sudo -E bash - && sudo apt-get install -y nodejs',
  };
}
