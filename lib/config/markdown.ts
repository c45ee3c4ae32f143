import { type MetricKind, metrics } from './metrics.ts';
import type { Parameter } from './parameters/row.ts';
import { rows } from './parameters.ts';
import { prometheusName, type SeriesKind, type SeriesName, series } from './series.ts';

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

/** What jobs measure that run as processes, as a Markdown table. */
function seriesTable(): string {
  const rows = Object.entries<SeriesKind>(series).map(
    ([name, { is, labels, doc }]) =>
      `| ${[`\`${prometheusName(name as SeriesName)}\``, is, labels.map((label) => `\`${label}\``).join(', '), `\`${name}\``, doc].map(cell).join(' | ')} |`,
  );
  return ['| in Prometheus | is | labels | in OpenTelemetry | what it is |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** The page with the table between its markers brought up to date; undefined when it has no markers. */
export function withParametersTable(page: string): string | undefined {
  return withBlock(page, { name: 'parameters', script: 'docs:config' }, parametersTable());
}

/** The same for the table of metrics. */
export function withMetricsTable(page: string): string | undefined {
  return withBlock(page, { name: 'metrics', script: 'docs:config' }, metricsTable());
}

/** The same for the table of what jobs measure that run as processes. */
export function withSeriesTable(page: string): string | undefined {
  return withBlock(page, { name: 'series', script: 'docs:config' }, seriesTable());
}

/** The page with this text between the markers of that name, which say by which script it comes there; undefined when it has none. */
export function withBlock(
  page: string,
  { name, script }: { readonly name: string; readonly script: string },
  text: string,
): string | undefined {
  const startMarker = `<!-- ${name}:start (npm run ${script}) -->`;
  const start = page.indexOf(startMarker);
  const end = page.indexOf(`<!-- ${name}:end -->`);
  if (start < 0 || end < start) return undefined;
  return `${page.slice(0, start + startMarker.length)}\n${text}\n${page.slice(end)}`;
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
