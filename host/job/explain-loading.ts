import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { extname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../lib/config/fault.ts';
import { parameters } from '../../lib/config/parameters.ts';
import { JobDefinitionError } from '../../lib/graph/job.ts';
import { reasonOf } from '../../lib/ports/reason.ts';
import { jobUrl } from './job-url.ts';
import { isUsers, shortPath } from './users-code.ts';

/** The error to throw for a job's module that could not be loaded: it says where, why, and what to do; `cause` is what Node said. */
export function explainLoading(module: string, error: unknown): ConfigError | JobDefinitionError {
  const mend = mendOfName(module);
  if (mend !== undefined) {
    const { variable: option, rule } = parameters.job;
    return new ConfigError([{ option, value: module, rule, mend }]);
  }
  const code = (error as { readonly code?: string } | null | undefined)?.code ?? '';
  const where = placeOf(module, error);
  const said = `${reasonOf(error).replaceAll(/\s*\n\s*/g, ' ')}${where === undefined ? '' : ` (${where})`}${mendOf(code, error)}`;
  return new JobDefinitionError(`ONCEFLOW_JOB=${module}: the module cannot be loaded: ${said}`, { cause: error });
}

/** Undefined: there is such a module. */
function mendOfName(module: string): string | undefined {
  const path = resolve(module);
  try {
    const file = fileURLToPath(jobUrl(module));
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return undefined;
    const ending = ['.ts', '.mts', '.js', '.mjs'].find((each) => existsSync(file + each));
    if (ending !== undefined) return `write ${module}${ending}: the file's ending is part of its name`;
    if (existsSync(file)) return `name a file in it: ${file} is a folder`;
    return `correct it: there is no file ${file} (paths are relative to the working directory, ${process.cwd()})`;
  } catch (error) {
    if (existsSync(path)) return `write ./${relative('.', path)}: what does not begin with . or / is a package`;
    return `correct it, or begin a path with ./: ${reasonOf(error)}`;
  }
}

/** What Node answers for TypeScript that is more than types: it takes types away, and translates nothing. */
const NOT_JUST_TYPES = 'Node takes types away from TypeScript and translates nothing';
/** V8 reads an @, which begins no token of JavaScript. */
const UNKNOWN_CHARACTER = 'Invalid or unexpected token';

function mendOf(code: string, error: unknown): string {
  const message = reasonOf(error);
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    const instead = Object.entries(INSTEAD).find(([syntax]) => message.includes(syntax))?.[1] ?? 'write it in JavaScript';
    return `. ${NOT_JUST_TYPES}: ${instead}; "erasableSyntaxOnly" in tsconfig.json finds every such place`;
  }
  if (message === UNKNOWN_CHARACTER)
    return `. If it is a decorator: JavaScript has none yet, and ${NOT_JUST_TYPES}: call the function instead`;
  if (message.includes('does not provide an export named')) return '. If it is a type, import it as one: "import type { … }"';
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return '. A job is a file that ends in .ts, .mts, .cts, .js, .mjs or .cjs';
  if (code === 'ERR_MODULE_NOT_FOUND') return mendOfImport((error as { readonly url?: string }).url);
  return '';
}

const INSTEAD: Readonly<Record<string, string>> = {
  enum: 'write an object, "const Color = { red: \'red\' } as const"',
  'parameter property': 'declare the field, and set it in the constructor',
  namespace: 'write a module, or an object',
  'import equals': 'write "import … from …"',
  'export assignment': 'write "export default …"',
};

/** `import './helper'`, or `'./helper.js'` as a compiler wants it, where the file is helper.ts. */
function mendOfImport(url: string | undefined): string {
  if (url === undefined || !url.startsWith('file:')) return '';
  const file = fileURLToPath(url);
  const source = [`${file}.ts`, `${file.slice(0, file.length - extname(file).length)}.ts`].find((each) => existsSync(each));
  return source === undefined ? '' : `. The file is ${source}: an import names it as it is`;
}

/** Where it failed, as `file:line`: from the stack, or, for what V8 could not read, from a process that fails in the same way. */
function placeOf(module: string, error: unknown): string | undefined {
  if (!(error instanceof Error) || (error as { readonly code?: string }).code === 'ERR_MODULE_NOT_FOUND') return undefined;
  const found = firstPlaceIn(error.stack ?? '');
  if (found !== undefined || !(error instanceof SyntaxError)) return found;
  const source = `import ${JSON.stringify(jobUrl(module))}`;
  return firstPlaceIn(spawnSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8', timeout: 10_000 }).stderr);
}

/** The first place that is the user's: neither Node's nor a package's. */
function firstPlaceIn(text: string): string | undefined {
  const places = text.matchAll(/(?:file:\/\/|\()(?<path>\/[^\s()]*?):(?<line>\d+)/g);
  for (const { groups: { path = '', line = '' } = {} } of places) {
    const file = decodeURI(path);
    if (isUsers(file)) return `${shortPath(file)}:${line}`;
  }
  return undefined;
}
