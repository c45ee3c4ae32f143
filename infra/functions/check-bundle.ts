import { readFileSync } from 'node:fs';
import { describeJob, type JobSummary } from '../../host/job/describe.ts';
import { shortPath } from '../../host/job/users-code.ts';
import type { EnvironmentRead } from '../../host/job/watch-environment.ts';
import { ConfigError } from '../../lib/config/fault.ts';
import { parameters } from '../../lib/config/parameters.ts';
import { environmentFaults } from '../environment.ts';
import { PLACEHOLDERS } from '../settings.ts';
import { differencesOf } from './differences.ts';
import { JOB_IN_BUNDLE } from './write-bundle.ts';

export interface BundleCheck {
  /** Module of the job, as it is named on this machine. */
  readonly entry: string;
  /** The files of the job's author that are in the bundle. */
  readonly sources: readonly string[];
  /** The job as this machine knows it. */
  readonly here: JobSummary;
  /** Of the functions, but for what the deployment makes. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of this machine. */
  readonly machine: Readonly<Record<string, string | undefined>>;
}

/** What Lambda has besides. A region, so that a client can be made. */
const PLATFORM = { PATH: process.env['PATH'], LANG: 'en_US.UTF-8', TZ: ':UTC', AWS_REGION: process.env['AWS_REGION'] ?? 'us-east-1' };

/**
 * Loads a finished bundle as Lambda will: all functions, in a process of its own, with their environment and without this
 * machine's packages. The job in it must be the one that was checked here.
 *
 * @throws ConfigError
 */
export function checkBundle(folder: string, { entry, sources, here, environment, machine }: BundleCheck): void {
  const faults = environmentFaults(sources.flatMap(environmentIn), environment, machine);
  if (faults.length > 0) throw new ConfigError(faults);
  const differences = differencesOf(here, inBundle(folder, entry, { ...PLATFORM, ...environment, ...PLACEHOLDERS }));
  if (differences.length === 0) return;
  const rule = `the same job in its functions as here: ${differences.join('; ')}`;
  const mend = `define it without asking the machine, the time or chance; variables go along by ${parameters.jobEnvironment.variable}`;
  throw new ConfigError([{ option: parameters.job.variable, value: entry, rule, mend }]);
}

function inBundle(folder: string, entry: string, env: Readonly<Record<string, string | undefined>>): JobSummary {
  try {
    return describeJob('bundle', { env, cwd: folder });
  } catch (error) {
    const said = (error as Error).message.replace(`${parameters.job.variable}=${JOB_IN_BUNDLE}: `, '');
    const rule = `a module that can be loaded in the bundle of its functions as it can here: ${said}`;
    throw new ConfigError([{ option: parameters.job.variable, value: entry, rule, mend: mendOf(said) }]);
  }
}

function mendOf(said: string): string {
  return /ENOENT|__dirname|__filename/.test(said)
    ? `files beside the job are not in the bundle: import JSON ("with { type: 'json' }"), and write text into a module`
    : 'bring what it needs into the module by imports';
}

/** Where source files ask for their own place, as `file:line`. */
export function placesOfFiles(sources: readonly string[]): string[] {
  return sources.flatMap((file) =>
    found(file, /\bimport\.meta\.(?:url|dirname|filename)\b|\b__(?:dirname|filename)\b/g).map(({ place }) => place),
  );
}

/** What a source file says that it reads, at once or later, where it says so by name. */
function environmentIn(file: string): EnvironmentRead[] {
  const pattern = /\bprocess\.env(?:\??\.(?<name>[A-Za-z_]\w*)|(?:\?\.)?\[\s*(?<quote>['"`])(?<key>[^'"`]+)\k<quote>\s*\])/g;
  return found(file, pattern).flatMap(({ groups: { name, key }, place }) => {
    const read = name ?? key;
    return read === undefined ? [] : [{ name: read, place }];
  });
}

function found(file: string, pattern: RegExp): { readonly groups: Readonly<Record<string, string | undefined>>; readonly place: string }[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(pattern)].map(({ index, groups = {} }) => ({
    groups,
    place: `${shortPath(file)}:${text.slice(0, index).split('\n').length}`,
  }));
}
