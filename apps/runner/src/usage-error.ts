/** What was typed cannot be meant: printed without a stack, exit status 64. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Somebody was asked and said no: exit status 1. */
export class DeclinedError extends Error {
  override readonly name = 'DeclinedError';
}
