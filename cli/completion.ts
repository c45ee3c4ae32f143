import type { Command } from './command.ts';
import { jsonHelp } from './help.ts';
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

const JOB: Completed = { name: 'job', takes: 'NAME', help: 'the job', words: [] };

function optionsOf(command: Command): Completed[] {
  const { on, options } = command;
  const own = Object.entries(options).map(([name, { takes, help, words = [] }]: [string, Option<unknown>]) => ({
    name,
    takes,
    help,
    words,
  }));
  const job = on === 'job' ? [JOB] : [];
  const common = [
    { name: 'json', takes: undefined, help: jsonHelp(command), words: [] },
    { name: 'help', takes: undefined, help: 'options and examples', words: [] },
  ];
  return [...own, ...job, ...common];
}

/** Options behind which a value stands, with the words that it may be; empty: it is free. An option of one name is one kind in all commands. */
function valuedOptions(commands: readonly Command[]): ReadonlyMap<string, readonly string[]> {
  const valued = commands.flatMap(optionsOf).filter(({ takes }) => takes !== undefined);
  return new Map(valued.map(({ name, words }) => [`--${name}`, words]));
}

/** In bash and zsh: the command among the words before the one that is completed. Options and their values may come before it. */
function findCommand(commands: readonly Command[], wordsBefore: string, count = ''): string {
  return `  for each in ${wordsBefore}; do${count}
    case $before in ${[...valuedOptions(commands).keys()].join('|')}) before=''; continue ;; esac
    before=$each
    case $each in ${commands.map(({ name }) => name).join('|')}) command=$each; break ;; esac
  done`;
}

function forBash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  const valued = [...valuedOptions(commands)];
  const withWords = valued.filter(([, words]) => words.length > 0);
  const free = valued.filter(([, words]) => words.length === 0).map(([option]) => option);
  const options = commands.map((command) => {
    const words = [...(command.arguments?.words ?? []), ...optionsOf(command).map(({ name }) => `--${name}`)];
    return `    ${command.name}) words='${words.join(' ')}' ;;`;
  });
  return `# Completion of onceflow in bash: source <(onceflow completion bash)
_onceflow() {
  local command='' words='' before='' each
${findCommand(commands, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  case \${COMP_WORDS[COMP_CWORD-1]} in
${withWords.map(([option, words]) => `    ${option}) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "\${COMP_WORDS[COMP_CWORD]}")); return ;;`).join('\n')}
    ${free.join('|')}) return ;;
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
  local command= before= each
  integer at=1
${findCommand(commands, `"\${(@)words[2,CURRENT-1]}"`, ' (( ++at ))')}
  if [[ -z $command ]]; then
    # Behind an option that wants a value of one's own.
    case $before in ${[...valuedOptions(commands).keys()].join('|')}) return 1 ;; esac
    _describe command commands
    return
  fi
  shift $(( at - 1 )) words
  (( CURRENT -= at - 1 ))
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
  const none = `-n ${quoted(`not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`)}`;
  const each = commands.flatMap((command) => {
    const { name, usage } = command;
    const seen = `-n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    const words = command.arguments?.words ?? [];
    return [
      `complete -c onceflow -f ${none} -a ${name} -d ${quoted(usage)}`,
      ...(words.length === 0 ? [] : [`complete -c onceflow -f ${seen} -a ${quoted(words.join(' '))}`]),
      ...optionsOf(command).map((option) => `complete -c onceflow ${seen} ${fishOption(option)}`),
    ];
  });
  const job = `complete -c onceflow ${none} ${fishOption(JOB)}`;
  return `# Completion of onceflow in fish: onceflow completion fish | source\n${[job, ...each].join('\n')}\n`;
}

function fishOption({ name, takes, help, words }: Completed): string {
  const value = takes === undefined ? '' : ` -x${words.length === 0 ? '' : ` -a ${quoted(words.join(' '))}`}`;
  return `-l ${name}${value} -d ${quoted(help)}`;
}

/** For all three shells: one word, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
