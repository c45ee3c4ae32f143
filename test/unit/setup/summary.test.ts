import { expect, test } from 'vitest';
import { countTests, type JsonReport, summaryLine } from '../../setup/summary.ts';

const clean: JsonReport = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
const lineOf = (report: JsonReport | undefined, exitCode: number | null) => summaryLine(countTests(report, exitCode));

test('the closing line counts what passed and what failed', () => {
  expect(lineOf(clean, 0)).toBe('3 passed, 0 failed');
  expect(lineOf({ ...clean, numFailedTests: 2 }, 1)).toBe('3 passed, 2 failed');
});

test('the closing line names skipped tests only when there are some', () => {
  expect(lineOf({ ...clean, numPendingTests: 1, numTodoTests: 1 }, 0)).toBe('3 passed, 0 failed, 2 skipped');
});

test('a file that did not load counts as a failure', () => {
  expect(lineOf({ ...clean, testResults: [{ status: 'failed', assertionResults: [] }] }, 1)).toBe('3 passed, 1 failed');
});

test('a file whose tests failed is not counted again', () => {
  const file = { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] };
  expect(lineOf({ ...clean, numFailedTests: 1, testResults: [file] }, 1)).toBe('3 passed, 1 failed');
});

test('a run that ended badly with every test passed is a failure', () => {
  expect(lineOf(clean, 1)).toBe('3 passed, 1 failed');
  expect(lineOf(clean, null)).toBe('3 passed, 1 failed');
});

test('a run that left no report is a failure', () => {
  expect(lineOf(undefined, 0)).toBe('0 passed, 1 failed');
});
