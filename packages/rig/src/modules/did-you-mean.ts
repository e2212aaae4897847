/** The number of letters to insert, remove, replace or swap with their neighbour to make `b` of `a`. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const at = (up: number, left: number) => rows[row - up]?.[column - left] ?? row + column;
      const replaced = at(1, 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1] ? at(2, 2) + 1 : replaced;
      current.push(Math.min(at(1, 0) + 1, (current[column - 1] ?? row) + 1, replaced, swapped));
    }
    rows.push(current);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** The candidate that was probably meant, if one is near enough: a third of its letters wrong, never all. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const near = distance <= Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (
      near &&
      distance < Math.min(word.length, candidate.length) &&
      distance < (best?.distance ?? Number.POSITIVE_INFINITY)
    ) {
      best = { candidate, distance };
    }
  }
  return best?.candidate;
}

/** `did you mean "driver"?`, or the choice where it is short, or nothing. */
export function didYouMean(word: string, candidates: readonly string[], what = 'possible'): string | undefined {
  const near = closest(word, candidates);
  if (near !== undefined) return `did you mean "${near}"?`;
  if (candidates.length === 0 || candidates.length > 10) return undefined;
  return `${what}: ${candidates.join(', ')}`;
}
