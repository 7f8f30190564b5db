#!/bin/sh
# Prints a page of this folder as C, its style and script within it:
#     embed.sh NAME        NAME_text, NAME_etag, NAME_policy
# The policy lets a browser run and load what is in the page, by its hash, and nothing else.
set -eu
cd "$(dirname "$0")"
name=$1

# A hash as Content-Security-Policy writes it; the line ends around the text count.
hash_of() {
    { echo; cat "$1"; } | sha256sum | cut -c 1-64 | tr a-f A-F | basenc --base16 -d | base64
}

page() {
    sed -e "/^@style@\$/{r style.css
d}" -e "/^@script@\$/{r $name.js
d}" "$name.html"
}

printf 'static const unsigned char %s_text[] = {\n' "$name"
page | od -An -v -tu1 | sed 's/  *\([0-9]\{1,\}\)/\1,/g'
printf '};\n'
printf 'static const char %s_etag[] = "\\"%s\\"";\n' "$name" \
    "$(page | sha256sum | cut -c 1-16)"
printf 'static const char %s_policy[] =\n' "$name"
printf '    "default-src '\''none'\''; connect-src '\''self'\''; img-src data:; "\n'
printf '    "style-src '\''sha256-%s'\''; "\n' "$(hash_of style.css)"
printf '    "script-src '\''sha256-%s'\''; "\n' "$(hash_of "$name.js")"
printf '    "base-uri '\''none'\''; form-action '\''none'\''; frame-ancestors '\''none'\''";\n'
