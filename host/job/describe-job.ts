/**
 * `describe-job.ts name|plan|source|bundle`: loads the job that ONCEFLOW_JOB names, and writes what it is to file descriptor 3. A
 * process of its own, because a module may do anything while it is loaded: print, leave something open, never end.
 *
 * `name`: its name. `plan`: what it is with this environment, which may lack brokers and blobs. `source`: what it is with the
 * configuration of this environment, and what it reads of the environment.
 * `bundle`: the same in a deployment's bundle, which is the working directory, with all its functions.
 */
import { writeFileSync } from 'node:fs';
import { isBuiltin, registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../../lib/config/fault.ts';
import { readConfig, readToolConfig, requiredValue } from '../../lib/config/read-config.ts';
import { fingerprint } from '../../lib/graph/fingerprint.ts';
import { describeGraph } from '../../lib/graph/graph.ts';
import { type JobDefinition, JobDefinitionError } from '../../lib/graph/job.ts';
import { type ConfiguredJob, configureJob, planJob } from './configured-job.ts';
import type { Described, DescribedFault, JobSummary } from './describe.ts';
import { jobUrl } from './job-url.ts';
import { loadJob } from './load-job.ts';
import { needsTranslation, type Translation, translateJob } from './translate-job.ts';
import { watchEnvironment } from './watch-environment.ts';
import { watchLoads } from './watch-loads.ts';

const FUNCTIONS = ['coordinator', 'source', 'operator', 'sink'];

const [what] = process.argv.slice(2);
const loads = what === 'source' ? watchLoads() : () => [];
let translation: Translation | undefined;
const described = await describe().then(
  (job) => ({ job }),
  (error: unknown) => ({ fault: describedFault(error) }),
);
const files = [...new Set([...loads(), ...(translation?.files ?? [])])];
writeFileSync(3, JSON.stringify({ ...described, files } satisfies Described<Partial<JobSummary>>));
process.exit(0);

async function describe(): Promise<Partial<JobSummary>> {
  if (what === 'name') return { name: (await loadJob(requiredValue(readToolConfig(process.env), 'job'))).name };
  if (what === 'plan') {
    const config = readToolConfig(process.env);
    return summaryOf(planJob(config, await loadSource(requiredValue(config, 'job'))), []);
  }
  if (what === 'bundle') withoutPackages();
  const config = readConfig(process.env);
  const reads = what === 'source' ? watchEnvironment() : undefined;
  const configured = configureJob(config, await (what === 'source' ? loadSource : loadJob)(config.job));
  if (what === 'bundle') for (const role of FUNCTIONS) await import(pathToFileURL(resolve(`${role}.mjs`)).href);
  return summaryOf(configured, reads?.() ?? []);
}

function summaryOf({ job, plan, parallelism }: Omit<ConfiguredJob, 'config'>, reads: JobSummary['reads']): JobSummary {
  const graph = describeGraph(job);
  return { name: job.name, graph, fingerprint: fingerprint(graph), plan, parallelism, reads, translation: translation?.source };
}

/** As Node loads it, or, if it cannot, as a bundler translates it: for the functions one does. */
async function loadSource(module: string): Promise<JobDefinition> {
  try {
    return await loadJob(module);
  } catch (error) {
    if (!(error instanceof JobDefinitionError) || !needsTranslation(error.cause)) throw error;
    translation = await translateJob(jobUrl(module));
    if (translation === undefined) throw error;
    return loadJob(module, translation.url);
  }
}

/** On Lambda there are none but those in the bundle; here the folders above it may have some. */
function withoutPackages(): void {
  const bundle = pathToFileURL(resolve('.')).href;
  registerHooks({
    resolve(specifier, context, next) {
      const isPackage = !isBuiltin(specifier) && !/^(\.|\/|file:|data:)/.test(specifier);
      if (isPackage && context.parentURL?.startsWith(bundle) === true)
        throw Object.assign(new Error(`package ${specifier} is not in it: only what an import names is`), { code: 'MODULE_NOT_FOUND' });
      return next(specifier, context);
    },
  });
}

function describedFault(error: unknown): DescribedFault {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error instanceof ConfigError ? { faults: error.faults } : {}),
  };
}
