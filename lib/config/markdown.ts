import { type MetricKind, metrics } from './metrics.ts';
import type { Parameter } from './parameters/row.ts';
import { rows } from './parameters.ts';

/** The parameters as a Markdown table. */
export function parametersTable(): string {
  const lines = rows.map(
    ([, parameter]) =>
      `| ${[`\`${parameter.variable}\``, whenUnset(parameter), parameter.unit ?? '', parameter.doc].map(cell).join(' | ')} |`,
  );
  return ['| variable | when unset | unit | what it does |', '|---|---|---|---|', ...lines].join('\n');
}

/** The metrics as a Markdown table. */
export function metricsTable(): string {
  const rows = Object.entries<MetricKind>(metrics).map(
    ([name, { unit, statistic, doc }]) => `| ${[`\`${name}\``, unit, statistic, doc].map(cell).join(' | ')} |`,
  );
  return ['| metric | unit | read as | what it is |', '|---|---|---|---|', ...rows].join('\n');
}

/** `readme` with the table between its markers brought up to date; undefined when it has no markers. */
export function withParametersTable(readme: string): string | undefined {
  return withTable(readme, 'parameters', parametersTable());
}

/** The same for the table of metrics. */
export function withMetricsTable(page: string): string | undefined {
  return withTable(page, 'metrics', metricsTable());
}

function withTable(page: string, name: string, table: string): string | undefined {
  const startMarker = `<!-- ${name}:start (npm run docs:config) -->`;
  const start = page.indexOf(startMarker);
  const end = page.indexOf(`<!-- ${name}:end -->`);
  if (start < 0 || end < start) return undefined;
  return `${page.slice(0, start + startMarker.length)}\n${table}\n${page.slice(end)}`;
}

function whenUnset(parameter: Parameter<unknown>): string {
  const { whenUnset } = parameter;
  switch (whenUnset.is) {
    case 'default':
      return whenUnset.text === '' ? 'none' : `\`${whenUnset.text}\``;
    case 'undefined':
      return whenUnset.means;
    case 'refused':
      return `**required**, e.g. \`${whenUnset.example}\``;
  }
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
