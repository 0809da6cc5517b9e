# fish completion for irm(8), irmd(8), oping(1), oecho(1) and obench(1), which know themselves what they understand.
#
# "PROGRAM --complete words WORD..." answers with texts that end with NUL: what is to be proposed, and then proposals and
# their descriptions by turns. fish quotes them. Nothing of them is ever evaluated here: names are chosen by others.

function __ouroboros_answer
    set -l words (commandline -opc)
    # The one in PATH: what is typed as a path is not run before Return.
    set -l program (string replace -r '.*/' '' -- $words[1])
    command timeout 3 $program --complete words $words[2..] '' 2>/dev/null </dev/null | string split0
end

function __ouroboros_complete
    set -l answer (__ouroboros_answer)
    switch "$answer[1]"
        case words
            set -l count (count $answer)
            for i in (seq 2 2 $count)
                set -l next (math $i + 1)
                # Behind a tab fish expects the description: a name with one cannot be proposed.
                string match -q -- "*"\t"*" $answer[$i]; and continue
                printf '%s\t%s\0' $answer[$i] "$answer[$next]"
            end
        case file
            __fish_complete_path (commandline -ct) | string join0
        case directory
            __fish_complete_directories (commandline -ct) | string join0
        case command
            begin
                __fish_complete_command
                __fish_complete_path (commandline -ct)
            end | string join0
    end
end

for program in irm irmd oping oecho obench
    complete -c $program -f -a '(__ouroboros_complete | string split0)'
end
