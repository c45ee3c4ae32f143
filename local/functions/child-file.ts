import { ownModule } from '../../host/job/own-module.ts';

/** The file to start a function process with. The package has it as JavaScript, beside this file; a checkout makes a bundle of it. */
export async function childFile(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  if (import.meta.url.endsWith('.js')) return ownModule('child', import.meta.url);
  const { bundledChild } = await import('./bundle.ts');
  return bundledChild(env);
}
