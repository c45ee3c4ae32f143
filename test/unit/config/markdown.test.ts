import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { metricsTable, parametersTable, withMetricsTable, withParametersTable, withSeriesTable } from '../../../lib/config/markdown.ts';

const MARKED = 'before\n<!-- parameters:start (npm run docs:config) -->\nSTALE\n<!-- parameters:end -->\nafter\n';

describe('the table of parameters in docs/configuration.md', () => {
  it('has a row for each parameter with default, unit and words', () => {
    expect(parametersTable()).toContain('| `ONCEFLOW_CHECKPOINT_INTERVAL_MS` | `1000` | ms | Time from');
    expect(parametersTable()).toContain("| `ONCEFLOW_GROUP_ID` | the job's name |  | Consumer group");
    expect(parametersTable()).toContain('| `ONCEFLOW_BROKERS` | **required**, e.g. `localhost:9092` |');
  });

  it('replaces what is between the markers and nothing else, the same the second time', () => {
    const updated = withParametersTable(MARKED) ?? '';
    expect(updated).toMatch(/^before\n<!-- .*\n\| variable [\s\S]*\n<!-- parameters:end -->\nafter\n$/);
    expect(updated).not.toContain('STALE');
    expect(withParametersTable(updated)).toBe(updated);
  });

  it('is not made without markers', () => {
    expect(withParametersTable('no markers here')).toBeUndefined();
  });

  it('is up to date', () => {
    const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    expect(withParametersTable(page), 'run npm run docs:config').toBe(page);
  });
});

describe('the table of metrics in docs/operations.md', () => {
  it('has a row for each metric with unit, statistic and words', () => {
    expect(metricsTable()).toContain('| `NoProgress` | Milliseconds | Maximum | For how long');
  });

  it('is up to date', () => {
    const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
    expect(withMetricsTable(page), 'run npm run docs:config').toBe(page);
  });
});

it('the table of what jobs measure that run as processes, in docs/observability.md, is up to date', () => {
  const page = readFileSync(new URL('../../../docs/observability.md', import.meta.url), 'utf8');
  expect(page).toContain('| `onceflow_input_bytes_total` | counter |  | `onceflow.input` | Bytes fetched');
  expect(withSeriesTable(page), 'run npm run docs:config').toBe(page);
});
