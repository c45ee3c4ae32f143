import { type Parameter, parameters } from './parameters.ts';

const START = '<!-- parameters:start (npm run docs:config) -->';
const END = '<!-- parameters:end -->';

/** The parameters as a Markdown table. */
export function parametersTable(): string {
  const rows = Object.values<Parameter<unknown>>(parameters).map(
    (parameter) => `| ${[`\`${parameter.variable}\``, whenUnset(parameter), parameter.unit ?? '', parameter.doc].map(cell).join(' | ')} |`,
  );
  return ['| variable | when unset | unit | what it does |', '|---|---|---|---|', ...rows].join('\n');
}

/** `readme` with the table between its markers brought up to date; undefined when it has no markers. */
export function withParametersTable(readme: string): string | undefined {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) return undefined;
  return `${readme.slice(0, start + START.length)}\n${parametersTable()}\n${readme.slice(end)}`;
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
