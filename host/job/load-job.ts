import { type JobDefinition, JobDefinitionError } from '../../lib/graph/job.ts';
import { jobUrl } from './job-url.ts';

/** Longer than Lambda gives a function to start. */
const LOAD_WITHIN_MS = 20_000;

/**
 * The job in the module that ONCEFLOW_JOB names: the same way for a local process, at synth and in a bundle.
 *
 * @param url where it is, if that is another place than the name says
 * @throws ConfigError: there is no such module; JobDefinitionError: it cannot be loaded, or has no job.
 */
export async function loadJob(module: string, url?: string): Promise<JobDefinition> {
  try {
    return jobOf(await within(LOAD_WITHIN_MS, module, import(url ?? jobUrl(module))), module);
  } catch (error) {
    if (error instanceof JobDefinitionError) throw error;
    // Only when it is needed: a function that starts reads less.
    const { explainLoading } = await import('./explain-loading.ts');
    throw explainLoading(module, error);
  }
}

/** The default export. Of a CommonJS module that a compiler made, Node's import puts it one level deeper. */
function jobOf(module: { readonly default?: unknown }, name: string): JobDefinition {
  const found = isJob(module.default) ? module.default : (module.default as { readonly default?: unknown } | undefined)?.default;
  if (isJob(found)) return found;
  const [named, ...others] = Object.entries(module).flatMap(([export_, value]) => (isJob(value) ? [export_] : []));
  const which = others.length === 0 ? '' : `; it has ${[named, ...others].join(' and ')}, and a module is one job`;
  const mend = named === undefined ? '' : `${which}; export ${named} as the default: "export default ${named}"`;
  throw new JobDefinitionError(`ONCEFLOW_JOB=${name}: the module has no default export made by defineJob${mend}`);
}

function isJob(value: unknown): value is JobDefinition {
  return Array.isArray((value as JobDefinition | null | undefined)?.nodes);
}

async function within<T>(ms: number, module: string, loading: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const what = `ONCEFLOW_JOB=${module}: the module is not loaded after ${ms / 1000} s`;
    late.reject(new JobDefinitionError(`${what}: an "await" at the top level, in it or in what it imports, does not end`));
  }, ms);
  try {
    return await Promise.race([loading, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
