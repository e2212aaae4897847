/** Runs of a seeded test, one per seed: how many a campaign wants, and from which seed on. */
export interface FaultRuns {
  readonly count: number;
  /**
   * Does them one after the other and returns what each reported.
   * @throws Error that names the seed and how to run it alone, with the first failure as its cause.
   */
  each<Report>(run: (seed: number) => Promise<Report>): Promise<Report[]>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The runs that the environment asks for: `RING3_FAULT_RUNS` of them from seed `RING3_SEED` on.
 * @param usual how many there are otherwise, from seed 1 on.
 * @throws RangeError when the environment says something that is not a number of runs or a seed.
 */
export function faultRuns(usual: number, environment: Environment = process.env): FaultRuns {
  const firstSeed = wholeNumber('RING3_SEED', environment, 1, 0);
  const count = wholeNumber('RING3_FAULT_RUNS', environment, usual, 1);
  return {
    count,
    each: async (run) => {
      const reports = [];
      for (let seed = firstSeed; seed < firstSeed + count; seed++) {
        reports.push(
          await run(seed).catch((cause: unknown) => {
            throw new Error(`seed ${seed}: run it alone with RING3_SEED=${seed} RING3_FAULT_RUNS=1: ${cause}`, {
              cause,
            });
          }),
        );
      }
      return reports;
    },
  };
}

/** The share of reports of which something is true, from 0 to 1. */
export function shareOf<Report>(reports: readonly Report[], what: (report: Report) => boolean): number {
  return reports.filter(what).length / reports.length;
}

function wholeNumber(name: string, environment: Environment, usual: number, least: number): number {
  const text = environment[name];
  if (text === undefined) return usual;
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name}=${text} is not a whole number from ${least} on`);
  }
  return value;
}
