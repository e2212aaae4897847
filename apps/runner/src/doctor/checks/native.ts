import type { Check } from '../context.ts';
import { type Finding, good } from '../finding.ts';

/** Whether native code can be called, and whether V8 leaves register accesses alone. */
export const checkNative: Check = ({ facts }) => {
  const { nativeError, engine } = facts;
  if (nativeError !== undefined) {
    return [
      {
        level: 'problem',
        about: 'native code',
        says: `ffi-rs does not load: ${nativeError}`,
        cause:
          'its shared object comes as an optional package for each platform, which npm leaves out with --no-optional',
        remedy: `npm install --include=optional ffi-rs`,
      },
    ];
  }
  return [good('native code', 'ffi-rs loads'), ...(engine === undefined ? [] : [exactness(engine)])];
};

function exactness({ ok, proven, words }: { ok: boolean; proven: boolean; words: string }): Finding {
  if (ok && proven) return good('register accesses', words);
  return {
    level: ok ? 'warning' : 'problem',
    about: 'register accesses',
    says: words,
    cause: 'an access that V8 drops, merges or repeats makes a device do something else',
    remedy: 'take Node 22, 24 or 26, for which accesses were counted at the hardware',
  };
}
