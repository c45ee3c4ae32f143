import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parameters } from '../../lib/config/parameters.ts';
import { lookAtSource } from './describe.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Of the package: two folders up in it, where this is JavaScript. */
const MANIFEST = new URL(import.meta.url.endsWith('.js') ? '../../../package.json' : '../../package.json', import.meta.url);

/**
 * The environment with the build of a job's long-lived processes: ONCEFLOW_BUILD_ID, or else what the job's own files hold, how it is
 * planned, and the engine's version. Packages that it imports are not looked into.
 *
 * @throws ConfigError, JobDefinitionError
 */
export function withBuildId(env: Environment): Environment {
  const { variable } = parameters.buildId;
  if ((env[variable] ?? '').trim() !== '') return env;
  const { found, files } = lookAtSource({ env });
  if (found instanceof Error) throw found;
  const hash = createHash('sha256').update(readFileSync(MANIFEST)).update(JSON.stringify(found.plan));
  // Wherever they lie on this machine.
  const contents = files.map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'));
  for (const each of contents.sort()) hash.update(each);
  return { ...env, [variable]: hash.digest('hex').slice(0, 16) };
}
