#!/bin/sh
# SPDX-License-Identifier: MIT
# The page of a report: complete, alone, well-formed whatever classes and files are called, small,
# and never half-written.
set -u
. "$(dirname "$0")/common.sh"
here=$(dirname "$0")

drawings=$work/drawings
model=$work/models/a.cnn
page=$work/report.html
small="--network classic --size 24 --batch 16"

run 0 "$cats_dogs" draw "$drawings" --count 120 --seed 7

# ---- Names that are markup, quotes, and no text at all ----

cats='<script>alert("&")<'
dogs="dogs ]]> '&amp;' --"
for part in train test; do
    mv "$drawings/$part/cats" "$drawings/$part/$cats"
    mv "$drawings/$part/dogs" "$drawings/$part/$dogs"
done
n=0
for part in "$drawings"/*/; do
    for class in "$part"*/; do
        for picture in "$class"*; do
            n=$((n + 1))
            case $((n % 4)) in
            0) new='"><img src=x onerror=1>' ;;
            1) new="it's & <b>" ;;
            2) new=$(printf 'bad \377 \300\212 \001 \033 utf\303') ;;
            3) new=$(printf 'line\nbreak \342\200\256 h\303\251') ;;
            esac
            mv "$picture" "$class$n $new.${picture##*.}"
        done
    done
done

# ---- Looking at a page ----

# expect_page PAGE SECTION...: all sections, nothing from elsewhere, less than 3 MB, and XML.
expect_page() {
    one=$1
    shift
    for section in "$@"; do
        grep -q "<section id=\"$section\">" "$one" || fail "no section $section"
        grep -q "href=\"#$section\"" "$one" || fail "no way to the section $section"
    done
    [ "$(grep -c '<section ' "$one")" -eq $# ] || fail "wanted $# sections"
    [ "$(wc -c <"$one")" -lt 3000000 ] || fail "the page has $(wc -c <"$one") bytes"
    grep -n -i -E '<script|https?:|url\(|@import|<iframe|<object|<embed|javascript:' "$one" &&
        fail "something from elsewhere"
    grep -o -E ' (src|href)="[^"]{0,5}' "$one" | grep -v -E '="(data:|#)' &&
        fail "a source or a link that leads away"
    well_formed "$one"
}

# XML parsers are strict; Python has one, xmllint is another.
well_formed() {
    if command -v python3 >/dev/null; then
        python3 "$here/check_report.py" "$1" >"$work/out" 2>"$work/err" ||
            fail "the page is not well-formed"
    elif command -v xmllint >/dev/null; then
        xmllint --nonet --noout --huge "$1" >"$work/out" 2>"$work/err" ||
            fail "the page is not well-formed"
    else
        echo 'skipped: whether the page is well-formed, since there is neither python3 nor xmllint'
    fi
}

# expect_in_page TEXT...: each is somewhere in the page.
expect_in_page() {
    for text in "$@"; do
        grep -q -F -e "$text" "$page" || fail "the page has no $text"
    done
}

sections='classes confidence mistakes uncertain heat filters network run'

# ---- train --report ----

# shellcheck disable=SC2086 # several options and sections
run 0 "$cats_dogs" train "$drawings" --output "$model" $small --epochs 3 --seed 3 --report "$page"
expect_no_errors
# shellcheck disable=SC2086
expect_page "$page" training $sections
for chart in Loss Accuracy 'Learning rate' 'Time of an epoch' 'Confusion matrix'; do
    expect_in_page "aria-label=\"$chart\""
done
expect_in_page '&lt;script&gt;alert(&quot;&amp;&quot;)&lt;' '&lt;img src=x' \
    'bad \xFF \xC0\x8A \x01 \x1B' '<title>epoch 3: training ' 'best: ' \
    "--seed 3 --report" '<dt>seed</dt>' '<dd>3</dd>' \
    "libcnn $("$cats_dogs" --version | cut -d' ' -f2)" '108 for training, 12 for validation, 20' \
    'conv2d 32 3x3' ' ms<'
[ "$(grep -c 'class="heat"' "$page")" -ge 6 ] || fail "wanted heat maps"

# Only of a training that came to its end it is said that its command makes the model again.
again='The same command gives the same model'
expect_in_page "$again"

# What the page counts is what evaluate counts.
run 0 "$cats_dogs" evaluate "$model" "$drawings"
right=$(tail -n 1 "$work/out" | sed 's/.*(\(.*\)\/.*/\1/')
expect_in_page "$right of 20 test pictures are recognised"
[ "$(stat -c %a "$page")" = "$(printf '%o' $((0666 & ~$(umask))))" ] ||
    fail "the page may not be read by those who may read other files"

# ---- report ----

rm "$page"
inside() { (cd "$work" && "$@"); }
run 0 inside "$cats_dogs" report "$model" "$drawings"
expect_no_errors
# shellcheck disable=SC2086
expect_page "$page" $sections
expect_in_page "$right of 20 given pictures are recognised"
grep -q "$again" "$page" && fail "a report without a training speaks of making the model again"
cp "$page" "$work/before.html"
run 0 "$cats_dogs" report "$model" "$drawings/train" --output "$work/other.html"
cmp -s "$page" "$work/before.html" || fail "--output was not heeded"
page=$work/other.html
expect_in_page 'of 120 given pictures'

# ---- An interrupted training ----

page=$work/interrupted.html
rm -f "$model"
# shellcheck disable=SC2086
"$cats_dogs" train "$drawings" --output "$model" $small --epochs 100000 --report "$page" --quiet \
    >"$work/out" 2>"$work/err" &
training=$!
seconds=0
while [ ! -e "$model" ] && [ $seconds -lt 60 ]; do
    sleep 1
    seconds=$((seconds + 1))
done
kill -INT $training
wait $training || fail "interrupted: found exit status $?, wanted 0"
expect_in_page 'The training was interrupted.'
grep -q "$again" "$page" && fail "an interrupted training is said to be made again by its command"

# ---- With mirror images ----

# tested OPTION...: trains, which prints the figures of the test; `log_loss` becomes one of them.
tested() {
    # shellcheck disable=SC2086
    run 0 "$cats_dogs" train "$drawings" --output "$model" $small --epochs 1 --seed 3 "$@"
    counts=$(tail -n 1 "$work/out" | sed 's/.*(\(.*\)\/\(.*\))/\1 of \2/')
    log_loss=$(sed -n 's/^log loss //p' "$work/out")
}

# The network resnet has them by itself.
for network in 'classic --flip-average' 'resnet --size 32'; do
    # shellcheck disable=SC2086
    tested --network $network --report "$page"
    expect_in_page "$counts test pictures are recognised" "<b>$log_loss</b>" \
        'averages over each picture and its mirror image'
    run 0 "$cats_dogs" report "$model" "$drawings" --flip-average --output "$page"
    expect_in_page "$counts given pictures are recognised" "<b>$log_loss</b>"
    run 0 "$cats_dogs" report "$model" "$drawings" --output "$page"
    expect_in_page 'of each picture as it is'
    grep -q -F "<b>$log_loss</b>" "$page" && fail 'mirror images make no difference'
done

# ---- A hundred classes ----

for class in $(seq 100); do
    mkdir -p "$work/many/train/kind $class" "$work/many/test/kind $class"
done
i=0
find "$drawings/train" -type f -print0 | xargs -0 -I{} cp {} "$work" 2>/dev/null
for picture in "$work"/*.jpg; do
    i=$((i + 1))
    [ $i -le 20 ] || break
    for class in $(seq $i 20 100); do
        cp "$picture" "$work/many/train/kind $class/a.jpg"
        cp "$picture" "$work/many/train/kind $class/b.jpg"
        cp "$picture" "$work/many/test/kind $class/c.jpg"
    done
done
page=$work/many.html
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$work/many" --output "$model" $small --epochs 1 --validation 0.5 \
    --report "$page"
# shellcheck disable=SC2086
expect_page "$page" training $sections
expect_in_page '<h1>100 classes</h1>' 'Most often confused' 'top-5 accuracy'

# ---- Bad pictures, and a full disk ----

echo 'This is no picture.' >"$drawings/test/$dogs/bad.jpg"
run 2 "$cats_dogs" report "$model" "$drawings" --output "$page"
expect_errors 1 'found the classes .*, wanted those of the model: '
grep -q '<h1>100 classes' "$page" || fail "the page was damaged by a report that failed"
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$drawings" --output "$model" $small --epochs 1 --report "$page" --quiet
expect_in_page 'of 20 test pictures' ' 1 more could not be read.'
cp "$page" "$work/before.html"
limited() { (trap '' XFSZ && ulimit -f 16 && "$@"); }
run 2 limited "$cats_dogs" report "$model" "$drawings" --output "$page"
expect_errors 2 'cannot write ".*/many\.html": File too large$'
cmp -s "$page" "$work/before.html" || fail "the old page was damaged by a full disk"
[ -z "$(find "$work" -name '.libcnn-*')" ] || fail "a part of a page was left behind"
finish
