#!/bin/sh
# Holds every #include of src/ and include/ to tests/layers.txt: a layer may
# include itself and what its row names; a library in angle brackets belongs to
# the one layer whose row names it.  What a layer has in src/ is private to it; what others
# may use of it is in include/lossd/.  Files directly in src/ (main, config) know
# every layer, and no layer knows them.
set -eu
cd "$(dirname "$0")/.."
# shellcheck disable=SC2016
find src include/lossd -name '*.[ch]' -o -name '*.def' -o -name '*.inc' | sort | xargs awk '
    FILENAME == "tests/layers.txt" {
        sub(/#.*/, "")
        if (!match($0, /^[a-z]+:/)) next
        layer = substr($0, 1, RLENGTH - 1)
        known[layer] = 1
        may[layer, layer] = 1
        n = split(substr($0, RLENGTH + 1), word, /[ \t]+/)
        for (i = 1; i <= n; i++) {
            if (word[i] ~ /^</) owner[word[i]] = layer
            else if (word[i] != "") may[layer, word[i]] = 1
        }
        next
    }
    /^[ \t]*#[ \t]*include/ {
        split(FILENAME, part, "/")
        from = part[1] == "include" ? part[3] : part[2]
        top = !(from in known)
        target = $0
        sub(/^[ \t]*#[ \t]*include[ \t]*/, "", target)
        sub(/[ \t]*(\/\*.*)?$/, "", target)
        if (target in owner && owner[target] != from)
            complain(target " belongs to " owner[target])
        if (target !~ /^"/) next
        path = target
        gsub(/"/, "", path)
        n = split(path, piece, "/")
        to = piece[1] == "lossd" ? piece[2] : (n > 1 ? piece[1] : from)
        if (to in known && to != from && piece[1] != "lossd")
            complain(path " is private to " to)
        if (to in known && !top && !((from, to) in may))
            complain(from " may not include " to " (" path ")")
        if (!(to in known) && !top)
            complain(path " is not in a layer")
        checked++
    }
    function complain(what) { print FILENAME ":" FNR ": " what; bad++ }
    END {
        printf "layers: %d includes held to tests/layers.txt, %d wrong\n", checked, bad
        exit bad > 0
    }
' tests/layers.txt
