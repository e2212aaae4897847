/**
 * Runs `step(0)` to `step(count - 1)`, started in this order and at most `limit` at a time. After a failure nothing is
 * started any more; what was started is awaited.
 * @throws what the lowest failed step threw: since steps start in order, that is the first failure of the whole.
 */
export async function runBounded(count: number, limit: number, step: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failedIndex = Number.POSITIVE_INFINITY;
  let failure: unknown;
  const worker = async (): Promise<void> => {
    while (next < count && failedIndex === Number.POSITIVE_INFINITY) {
      const index = next++;
      try {
        await step(index);
      } catch (error) {
        if (index < failedIndex) [failedIndex, failure] = [index, error];
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, worker));
  if (failedIndex < count) throw failure;
}
