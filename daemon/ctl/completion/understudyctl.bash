# SPDX-License-Identifier: LGPL-2.1-or-later
# bash: understudyctl itself says what may come next, a line each: a word, a tab, what it is. Exit status 3: a file.
_understudyctl()
{
    local cur words cword lines line
    COMPREPLY=()
    _get_comp_words_by_ref -n := cur words cword || return
    words=("${words[@]:1:cword}")
    lines=$("$1" complete -- "${words[@]//\\/}" 2>/dev/null) # as they are typed, blanks are escaped
    if [ $? -eq 3 ]; then
        compopt -o default
        return
    fi
    while IFS= read -r line; do
        line=${line%%$'\t'*}
        [ -z "$line" ] || COMPREPLY+=("$(printf %q "$line")")
    done <<<"$lines"
    __ltrim_colon_completions "$cur"
} && complete -F _understudyctl understudyctl
