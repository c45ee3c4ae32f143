# complete.zsh COMPLETION ANSWERS LINE: what an interactive zsh offers behind this line, a match on each line.
zmodload zsh/zpty
completion=$1 answers=$2 line=$3
: > $answers
until_said() {
  local chunk
  repeat 600; do
    # What it draws has to go somewhere.
    while zpty -r -t shell chunk; do :; done
    grep -q "^$1\$" $answers && return
    sleep 0.1
  done
  print -u2 "zsh did not come to $1"
  exit 1
}
zpty shell zsh -f -i
# With -O, -A or -D matches are collected, and none is offered.
zpty -w shell "
PROMPT=
answers=$answers
autoload -Uz compinit; compinit -u -D
source $completion
compadd() {
  local -a hits
  if [[ \" \$* \" == *' '-[OAD]' '* ]]; then builtin compadd \"\$@\"; return; fi
  builtin compadd -O hits \"\$@\"
  print -rl -- '<'\${^hits} >> \$answers
  builtin compadd \"\$@\"
}
complete-and-say() { zle complete-word; print done >> \$answers }
zle -N complete-and-say
bindkey '^I' complete-and-say
print ready >> \$answers"
until_said ready
zpty -n -w shell "$line"$'\t'
until_said done
grep '^<' $answers | cut -c2-
zpty -d shell
