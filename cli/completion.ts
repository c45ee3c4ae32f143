import type { Command } from './command.ts';
import type { Option } from './options.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What completes the calls of these commands in a shell. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return { bash: forBash, zsh: forZsh, fish: forFish }[shell](commands);
}

/** An option as shells complete it. */
interface Completed {
  readonly name: string;
  readonly takes: string | undefined;
  readonly help: string;
  readonly words: readonly string[];
}

function optionsOf({ on, options }: Command): Completed[] {
  const own = Object.entries(options).map(([name, { takes, help, words = [] }]: [string, Option<unknown>]) => ({
    name,
    takes,
    help,
    words,
  }));
  const job = on === 'job' ? [{ name: 'job', takes: 'NAME', help: 'the job', words: [] }] : [];
  const common = [
    { name: 'json', takes: undefined, help: 'one JSON object on standard output', words: [] },
    { name: 'help', takes: undefined, help: 'options and examples', words: [] },
  ];
  return [...own, ...job, ...common];
}

function forBash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const all = commands.flatMap(optionsOf);
  const withWords = new Map(all.filter(({ words }) => words.length > 0).map(({ name, words }) => [name, words]));
  const free = new Set(all.filter(({ takes, words }) => takes !== undefined && words.length === 0).map(({ name }) => name));
  const valued = [...withWords.keys(), ...free].map((name) => `--${name}`).join('|');
  const options = commands.map((command) => {
    const words = [...(command.arguments?.words ?? []), ...optionsOf(command).map(({ name }) => `--${name}`)];
    return `    ${command.name}) words='${words.join(' ')}' ;;`;
  });
  return `# Completion of onceflow in bash: source <(onceflow completion bash)
_onceflow() {
  local command='' words='' before='' each
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $before in ${valued}) before=''; continue ;; esac
    before=$each
    case $each in ${names.join('|')}) command=$each; break ;; esac
  done
  case \${COMP_WORDS[COMP_CWORD-1]} in
${[...withWords].map(([name, words]) => `    --${name}) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "\${COMP_WORDS[COMP_CWORD]}")); return ;;`).join('\n')}
    ${[...free].map((name) => `--${name}`).join('|')}) return ;;
  esac
  case $command in
    '') words='${names.join(' ')} --help' ;;
${options.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _onceflow onceflow
`;
}

function forZsh(commands: readonly Command[]): string {
  const described = commands.map(({ name, usage }) => `    ${quoted(`${name}:${usage}`)}`);
  const cases = commands.map((command) => {
    const words = command.arguments?.words ?? [];
    const first = words.length === 0 ? [] : [quoted(`1:what:(${words.join(' ')})`)];
    return `    ${command.name}) _arguments ${[...first, ...optionsOf(command).map(zshOption)].join(' ')} ;;`;
  });
  return `#compdef onceflow
# Completion of onceflow in zsh: source <(onceflow completion zsh)
_onceflow() {
  local -a commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _onceflow onceflow
`;
}

function zshOption({ name, takes, help, words }: Completed): string {
  const value = takes === undefined ? '' : `:${name}:${words.length === 0 ? '' : `(${words.join(' ')})`}`;
  return quoted(`--${name}[${help.replaceAll(/[[\]\\:]/g, '\\$&')}]${value}`);
}

function forFish(commands: readonly Command[]): string {
  const each = commands.flatMap((command) => {
    const { name, usage } = command;
    const seen = `-n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    const words = command.arguments?.words ?? [];
    return [
      `complete -c onceflow -f -n __fish_use_subcommand -a ${name} -d ${quoted(usage)}`,
      ...(words.length === 0 ? [] : [`complete -c onceflow -f ${seen} -a ${quoted(words.join(' '))}`]),
      ...optionsOf(command).map((option) => `complete -c onceflow ${seen} ${fishOption(option)}`),
    ];
  });
  return `# Completion of onceflow in fish: onceflow completion fish | source\n${each.join('\n')}\n`;
}

function fishOption({ name, takes, help, words }: Completed): string {
  const value = takes === undefined ? '' : ` -x${words.length === 0 ? '' : ` -a ${quoted(words.join(' '))}`}`;
  return `-l ${name}${value} -d ${quoted(help)}`;
}

/** For all three shells: one word, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
