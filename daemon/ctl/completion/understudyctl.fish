# SPDX-License-Identifier: LGPL-2.1-or-later
# fish: understudyctl itself says what may come next, a line each: a word, a tab, what it is. Exit status 3: a file.
function __understudyctl_complete
    set -l words (commandline -opc)
    set -l lines ($words[1] complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
    if test $status -eq 3
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $lines
    end
end
complete -c understudyctl -f -k -a '(__understudyctl_complete)'
