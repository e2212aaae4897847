import { describe, expect, test } from 'vitest';
import { checkRequest, type RequestRules } from './check-request.ts';
import type { NbdRequest } from './transmission-messages.ts';

const MIB = 1024 * 1024;
const RULES: RequestRules = { sizeBytes: 64 * MIB, readOnly: false, canTrim: true, structuredReplies: false };
const READ_ONLY = { ...RULES, readOnly: true };
const STRUCTURED = { ...RULES, structuredReplies: true };

function request(type: number, offset: number, lengthBytes: number, flags = 0): NbdRequest {
  return { type, offset, lengthBytes, flags, cookieHigh: 0, cookieLow: 0 };
}

describe('a request is refused', () => {
  test.each<[string, NbdRequest, RequestRules, string]>([
    ['a read that ends beyond the disk', request(0, 64 * MIB - 1, 2), RULES, 'EINVAL'],
    ['a read far beyond 2^53', request(0, 2 ** 64 - 1, 512), RULES, 'EINVAL'],
    ['a write that ends beyond the disk', request(1, 64 * MIB - 1, 2), RULES, 'ENOSPC'],
    ['a write to a read-only export', request(1, 0, 512), READ_ONLY, 'EPERM'],
    ['an empty read', request(0, 0, 0), RULES, 'EINVAL'],
    ['an empty write', request(1, 0, 0), RULES, 'EINVAL'],
    ['a read over 32 MiB, simple replies', request(0, 0, 32 * MIB + 1), RULES, 'EINVAL'],
    ['a read over 32 MiB, structured replies', request(0, 0, 32 * MIB + 1), STRUCTURED, 'EOVERFLOW'],
    ['a write over 32 MiB', request(1, 0, 32 * MIB + 1), RULES, 'EINVAL'],
    ['a FLUSH with an offset', request(3, 512, 0), RULES, 'EINVAL'],
    ['a FLUSH with a length', request(3, 0, 512), RULES, 'EINVAL'],
    ['DF without structured replies', request(0, 0, 512, 4), RULES, 'EINVAL'],
    ['DF on a write', request(1, 0, 512, 4), STRUCTURED, 'EINVAL'],
    ['an unknown flag', request(0, 0, 512, 0x8000), RULES, 'EINVAL'],
    ['TRIM of a disk without', request(4, 0, 512), { ...RULES, canTrim: false }, 'EINVAL'],
    ['TRIM beyond the disk', request(4, 64 * MIB - 512, 1024), RULES, 'EINVAL'],
    ['TRIM of nothing', request(4, 0, 0), RULES, 'EINVAL'],
    ['TRIM of a read-only export', request(4, 0, 512), READ_ONLY, 'EPERM'],
    ['TRIM without a hole', request(4, 0, 512, 2), RULES, 'EINVAL'],
    ['CACHE beyond the disk', request(5, 64 * MIB, 1), RULES, 'EINVAL'],
    ['CACHE of nothing', request(5, 0, 0), RULES, 'EINVAL'],
    ['CACHE with an unknown flag', request(5, 0, 512, 2), RULES, 'EINVAL'],
    ['WRITE_ZEROES beyond the disk', request(6, 64 * MIB - 512, 1024), RULES, 'ENOSPC'],
    ['WRITE_ZEROES of nothing', request(6, 0, 0), RULES, 'EINVAL'],
    ['WRITE_ZEROES of a read-only export', request(6, 0, 512), READ_ONLY, 'EPERM'],
    ['WRITE_ZEROES with DF', request(6, 0, 512, 4), STRUCTURED, 'EINVAL'],
    ['WRITE_ZEROES that must be fast', request(6, 0, 512, 16), RULES, 'ENOTSUP'],
    ['WRITE_ZEROES that must be fast, of a read-only export', request(6, 0, 512, 16), READ_ONLY, 'EPERM'],
    ['a write that must be fast', request(1, 0, 512, 16), RULES, 'EINVAL'],
    ['BLOCK_STATUS', request(7, 0, 512), STRUCTURED, 'EINVAL'],
    ['an unknown command', request(99, 0, 0), RULES, 'EINVAL'],
  ])('%s', (_, wrong, rules, errno) => {
    expect(checkRequest(wrong, rules)).toMatchObject({ errno });
  });
});

describe('a request is accepted', () => {
  test.each<[string, NbdRequest, RequestRules]>([
    ['a read of the last byte', request(0, 64 * MIB - 1, 1), RULES],
    ['a read of 32 MiB', request(0, 0, 32 * MIB), RULES],
    ['a write of 32 MiB to the end', request(1, 32 * MIB, 32 * MIB), RULES],
    ['a write with FUA', request(1, 0, 512, 1), RULES],
    ['a read with FUA, which clients are known to send', request(0, 0, 512, 1), RULES],
    ['a FLUSH with FUA', request(3, 0, 0, 1), RULES],
    ['a read with DF and structured replies', request(0, 0, 512, 4), STRUCTURED],
    ['TRIM of 4 GiB with FUA', request(4, 0, 2 ** 32 - 512, 1), { ...RULES, sizeBytes: 2 ** 40 }],
    ['WRITE_ZEROES of 4 GiB', request(6, 0, 2 ** 32 - 512), { ...RULES, sizeBytes: 2 ** 40 }],
    ['WRITE_ZEROES without a hole, with FUA', request(6, 1, 1, 3), RULES],
    ['CACHE of a read-only export', request(5, 0, 512), READ_ONLY],
    ['a read of a read-only export', request(0, 0, 512), READ_ONLY],
  ])('%s', (_, right, rules) => {
    expect(checkRequest(right, rules)).toBeUndefined();
  });

  test('the message says what is wrong in numbers', () => {
    expect(checkRequest(request(0, 64 * MIB, 512), RULES)?.message).toBe(
      '512 bytes at 67108864: the export has 67108864',
    );
  });
});
