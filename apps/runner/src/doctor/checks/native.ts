import type { EngineCheck } from '@ring3/linux';
import type { Check } from '../context.ts';
import { type Finding, good } from '../finding.ts';

/** Whether native code can be called, and whether V8 leaves register accesses alone. */
export const checkNative: Check = ({ facts }) => {
  const { nativeError, engine, mappingError } = facts;
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
  const loads = good('native code', 'ffi-rs loads');
  if (mappingError !== undefined) return [loads, unmappable(mappingError)];
  return [loads, ...(engine === undefined ? [] : [exactness(engine)])];
};

function unmappable(cause: string): Finding {
  const remedy = cause.includes('--jitless')
    ? 'start Node without --jitless'
    : 'ulimit -v unlimited\n# in a unit: LimitAS=infinity, and MemoryMax= to limit memory itself';
  return { level: 'problem', about: 'register accesses', says: 'no registers can be mapped', cause, remedy };
}

function exactness({ ok, proven, words }: EngineCheck): Finding {
  if (ok && proven) return good('register accesses', words);
  return {
    level: ok ? 'warning' : 'problem',
    about: 'register accesses',
    says: words,
    cause: 'an access that V8 drops, merges or repeats makes a device do something else',
    remedy: 'take Node 22, 24 or 26, for which accesses were counted at the hardware',
  };
}
