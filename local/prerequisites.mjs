/** What a machine must have, how to tell, and the command that brings it. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PYTHONS = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

const PREREQUISITES = {
  npm: {
    title: 'npm (comes with Node)',
    find: () => firstThat(['npm'], ['--version'], () => true),
    bring: { debian: 'npm', fedora: 'npm', arch: 'npm', alpine: 'npm', mac: 'node' },
  },
  java: {
    title: 'Java 17 or newer',
    find: () => firstThat([...javaOfJavaHome(), 'java'], ['-version'], (text) => majorVersion(text) >= 17),
    bring: {
      // Each release has one of them; its "default-jre" may be older than 17.
      debian: ['openjdk-21-jre-headless', 'openjdk-17-jre-headless'],
      fedora: 'java-21-openjdk-headless',
      arch: 'jre21-openjdk-headless',
      alpine: 'openjdk21-jre-headless',
      mac: 'openjdk',
    },
  },
  jdk: {
    title: "Java's compiler, 17 or newer",
    find: () => firstThat(['javac'], ['-version'], (text) => Number(/javac (\d+)/.exec(text)?.[1] ?? 0) >= 17),
    bring: {
      debian: ['openjdk-21-jdk-headless', 'openjdk-17-jdk-headless'],
      fedora: 'java-21-openjdk-devel',
      arch: 'jdk21-openjdk',
      alpine: 'openjdk21-jdk',
      mac: 'openjdk',
    },
  },
  maven: {
    title: 'Maven',
    find: () => firstThat(['mvn'], ['--version'], () => true),
    bring: { debian: 'maven', fedora: 'maven', arch: 'maven', alpine: 'maven', mac: 'maven' },
  },
  python: {
    title: 'Python 3.10 or newer with venv',
    find: () => firstThat(PYTHONS, ['-c', 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10)'], () => true),
    bring: { debian: 'python3-venv', fedora: 'python3', arch: 'python', alpine: 'python3', mac: 'python' },
  },
};

const INSTALL = {
  debian: 'sudo apt-get install -y',
  fedora: 'sudo dnf install -y',
  arch: 'sudo pacman -S',
  alpine: 'sudo apk add',
  mac: 'brew install',
};

/**
 * Looks for the named prerequisites.
 *
 * @returns {Promise<{ commands: Record<string, string>, problem: string | undefined }>} the command of each, or what to tell
 */
export async function missingPrerequisites(names) {
  const commands = {};
  const missing = [];
  for (const name of names) {
    const command = await PREREQUISITES[name].find();
    if (command === undefined) missing.push(PREREQUISITES[name]);
    else commands[name] = command;
  }
  return { commands, problem: missing.length === 0 ? undefined : await problemText(missing) };
}

async function problemText(missing) {
  const platform = platformOf(process.platform, osRelease());
  const titles = missing.map(({ title }) => title).join(', ');
  if (platform === undefined) {
    return process.platform === 'win32'
      ? 'Windows is supported through WSL (https://learn.microsoft.com/windows/wsl): clone and run this there'
      : `this machine lacks ${titles}: install it with the system's package manager, then run the same command again`;
  }
  const packages = await Promise.all(missing.map(({ bring }) => firstThatExists([bring[platform]].flat())));
  // Homebrew leaves its Java where nothing finds it.
  const more = platform === 'mac' && packages.includes('openjdk') ? ' && export JAVA_HOME="$(brew --prefix openjdk)"' : '';
  return `this machine lacks ${titles}. Bring it with\n\n    ${INSTALL[platform]} ${packages.join(' ')}${more}\n\nand run the same command again`;
}

/** The family of the system, by the ID and ID_LIKE lines of /etc/os-release. */
function platformOf(platform, release) {
  if (platform === 'darwin') return 'mac';
  const ids = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, value]) => value.split(' '));
  const family = { debian: 'debian', ubuntu: 'debian', fedora: 'fedora', rhel: 'fedora', centos: 'fedora', arch: 'arch', alpine: 'alpine' };
  return ids.map((id) => family[id]).find((name) => name !== undefined);
}

function osRelease() {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
}

function javaOfJavaHome() {
  return process.env.JAVA_HOME ? [join(process.env.JAVA_HOME, 'bin', 'java')] : [];
}

/** `openjdk version "17.0.15"`, `java version "1.8.0_401"`. */
function majorVersion(text) {
  return Number(/version "(?:1\.)?(\d+)/.exec(text)?.[1] ?? 0);
}

/** Of packages with other names in other releases, the one that this release has. */
async function firstThatExists([first, ...others]) {
  if (others.length === 0 || (await outputOf('apt-cache', ['show', first])) !== undefined) return first;
  return firstThatExists(others);
}

async function firstThat(commands, args, accepts) {
  for (const command of commands) {
    const text = await outputOf(command, args);
    if (text !== undefined && accepts(text)) return command;
  }
  return undefined;
}

function outputOf(command, args) {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 30_000 }, (error, stdout, stderr) => resolve(error === null ? stdout + stderr : undefined));
  });
}
