import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SHELLS, type Shell } from '../../cli/completion.ts';

const PROBE = fileURLToPath(new URL('complete.zsh', import.meta.url));

/** Those of this machine. */
export const REAL_SHELLS = SHELLS.filter((shell) => spawnSync(shell, ['-c', 'exit 7']).status === 7);

/** What a shell offers for the last of these words, in any order. @param script its completion of `onceflow` */
export function offered(shell: Shell, script: string, words: readonly string[]): string[] {
  return { bash: byBash, zsh: byZsh, fish: byFish }[shell](script, words).toSorted();
}

function byBash(script: string, words: readonly string[]): string[] {
  const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _onceflow; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf(execFileSync('bash', ['--norc', '--noprofile'], { input: `${script}\n${ask}`, encoding: 'utf8' }));
}

function byZsh(script: string, words: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'onceflow-zsh-'));
  try {
    const file = join(folder, 'completion.zsh');
    writeFileSync(file, script);
    return linesOf(execFileSync('zsh', ['-f', PROBE, file, join(folder, 'answers'), words.join(' ')], { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function byFish(script: string, words: readonly string[]): string[] {
  const ask = `${script}\ncomplete -C '${words.join(' ')}'`;
  const said = execFileSync('fish', ['--no-config', '-c', ask], { encoding: 'utf8' });
  // Behind a tab: what it means.
  return linesOf(said).map((line) => line.split('\t')[0] ?? '');
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
