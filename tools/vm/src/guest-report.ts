/** One test of a guest's report, as vitest's JSON reporter writes it. */
export interface GuestTest {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo';
  readonly failureMessages: readonly string[];
}

export interface GuestFile {
  readonly name: string;
  readonly status: 'passed' | 'failed';
  readonly message: string;
  readonly assertionResults: readonly GuestTest[];
}

/** What the tests of a suite did inside the machine. */
export interface GuestReport {
  readonly testResults: readonly GuestFile[];
}

/** Files that could not be loaded: they have no tests, and that must not look like success. */
export function brokenFiles(report: GuestReport): GuestFile[] {
  return report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
}
