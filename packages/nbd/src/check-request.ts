import type { Refusal } from './errno.ts';
import { COMMAND, COMMAND_FLAG, COMMAND_NAMES, MAX_PAYLOAD_BYTES } from './protocol.ts';
import type { NbdRequest } from './transmission-messages.ts';

/** What a request is checked against. */
export interface RequestRules {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly canTrim: boolean;
  readonly structuredReplies: boolean;
}

const READ_ONLY: Refusal = { errno: 'EPERM', message: 'the export is read-only' };

/** Why a request cannot be served, by the words of the sections "Error values" and "Size constraints". */
export function checkRequest(request: NbdRequest, rules: RequestRules): Refusal | undefined {
  switch (request.type) {
    case COMMAND.read:
      return checkFlags(request, rules.structuredReplies ? COMMAND_FLAG.dontFragment : 0) ?? checkRead(request, rules);
    case COMMAND.write:
      return checkFlags(request) ?? checkWrite(request, rules);
    case COMMAND.flush:
      return checkFlags(request) ?? checkFlush(request);
    case COMMAND.trim:
      return rules.canTrim ? (checkFlags(request) ?? checkTrim(request, rules)) : invalid('TRIM is not offered');
    case COMMAND.cache:
      return checkFlags(request) ?? checkHint(request, rules);
    case COMMAND.writeZeroes:
      return checkFlags(request, COMMAND_FLAG.noHole | COMMAND_FLAG.fastZero) ?? checkZeroes(request, rules);
    default:
      return invalid(`${COMMAND_NAMES[request.type] ?? `command ${request.type}`} is not offered`);
  }
}

/** FUA is valid with every command, even where it means nothing ("Command flags"). */
function checkFlags({ flags }: NbdRequest, alsoAllowed = 0): Refusal | undefined {
  const unknown = flags & ~(COMMAND_FLAG.fua | alsoAllowed);
  return unknown === 0 ? undefined : invalid(`command flags 0x${unknown.toString(16)} are not offered`);
}

function checkRead(request: NbdRequest, rules: RequestRules): Refusal | undefined {
  if (request.lengthBytes > MAX_PAYLOAD_BYTES) {
    // EOVERFLOW is for those who know structured replies ("Request types", NBD_CMD_READ).
    return { errno: rules.structuredReplies ? 'EOVERFLOW' : 'EINVAL', message: tooLong(request) };
  }
  if (request.lengthBytes === 0) return invalid('a read of 0 bytes');
  return fits(request, rules) ? undefined : invalid(beyondEnd(request, rules));
}

function checkWrite(request: NbdRequest, rules: RequestRules): Refusal | undefined {
  if (rules.readOnly) return READ_ONLY;
  if (request.lengthBytes > MAX_PAYLOAD_BYTES) return invalid(tooLong(request));
  if (request.lengthBytes === 0) return invalid('a write of 0 bytes');
  return fits(request, rules) ? undefined : { errno: 'ENOSPC', message: beyondEnd(request, rules) };
}

/** Not bound by the maximum payload, since it has none ("Size constraints"). */
function checkZeroes(request: NbdRequest, rules: RequestRules): Refusal | undefined {
  if (rules.readOnly) return READ_ONLY;
  if (request.lengthBytes === 0) return invalid('a WRITE_ZEROES of 0 bytes');
  if (!fits(request, rules)) return { errno: 'ENOSPC', message: beyondEnd(request, rules) };
  const isFast = (request.flags & COMMAND_FLAG.fastZero) !== 0;
  return isFast ? { errno: 'ENOTSUP', message: 'zeros take as long as other data here' } : undefined;
}

function checkTrim(request: NbdRequest, rules: RequestRules): Refusal | undefined {
  return rules.readOnly ? READ_ONLY : checkHint(request, rules);
}

function checkHint(request: NbdRequest, rules: RequestRules): Refusal | undefined {
  if (request.lengthBytes === 0) return invalid('a hint about 0 bytes');
  return fits(request, rules) ? undefined : invalid(beyondEnd(request, rules));
}

function checkFlush({ offset, lengthBytes }: NbdRequest): Refusal | undefined {
  return offset === 0 && lengthBytes === 0 ? undefined : invalid('FLUSH takes neither offset nor length');
}

function fits({ offset, lengthBytes }: NbdRequest, { sizeBytes }: RequestRules): boolean {
  return offset + lengthBytes <= sizeBytes;
}

function tooLong({ lengthBytes }: NbdRequest): string {
  return `${lengthBytes} bytes at once: the most is ${MAX_PAYLOAD_BYTES}`;
}

function beyondEnd({ offset, lengthBytes }: NbdRequest, { sizeBytes }: RequestRules): string {
  return `${lengthBytes} bytes at ${offset}: the export has ${sizeBytes}`;
}

function invalid(message: string): Refusal {
  return { errno: 'EINVAL', message };
}
