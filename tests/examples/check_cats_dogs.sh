#!/bin/sh
# SPDX-License-Identifier: MIT
# cats-dogs from drawings to predictions, every command and the form of everything it prints.
set -u
. "$(dirname "$0")/common.sh"

drawings=$work/drawings
model=$work/models/a.cnn
small="--network classic --size 24 --batch 16"

# ---- draw ----

run 0 "$cats_dogs" draw "$drawings" --count 120 --seed 7
[ "$(find "$drawings/train/cats" -type f | wc -l)" -eq 60 ] || fail "draw: wanted 60 cats"
[ "$(find "$drawings/train/dogs" -type f | wc -l)" -eq 60 ] || fail "draw: wanted 60 dogs"
[ "$(find "$drawings/test" -type f | wc -l)" -eq 20 ] || fail "draw: wanted 20 test pictures"
[ "$(find "$drawings" -name '*.png' | wc -l)" -gt 0 ] || fail "draw: wanted some PNGs"
[ "$(find "$drawings" -name '*.jpg' | wc -l)" -gt 0 ] || fail "draw: wanted some JPEGs"
run 0 "$cats_dogs" draw "$work/again" --count 120 --seed 7
diff -r "$drawings" "$work/again" >/dev/null || fail "draw: the same seed drew other pictures"
run 2 "$cats_dogs" draw "$drawings"
expect_errors 1 'drawings: File exists'

# ---- train ----

# shellcheck disable=SC2086 # several options
run 0 "$cats_dogs" train "$drawings" --output "$model" $small --epochs 2 --seed 3
expect_no_errors
expect_output '^training +108 pictures: 54 cats, 54 dogs$' \
    '^validation +12 pictures: 6 cats, 6 dogs$' '^test +20 pictures: 10 cats, 10 dogs$' \
    '^  conv2d 32 3x3 +22 x 22 x 32 +896$' '^  total +[0-9,]+$' \
    '^epoch 1/2  loss [0-9.]+  accuracy [0-9.]+  validation loss [0-9.]+  accuracy [0-9.]+  '\
'[0-9]+ pictures/s  best, saved$' \
    '^epoch 2/2 ' '^best model: epoch [12], ' '^ +predicted$' '^actual +cats +dogs$' \
    '^cats +[0-9]+ +[0-9]+$' '^dogs +[0-9]+ +[0-9]+$' \
    '^class +pictures +precision +recall +F1$' '^cats +10( +([01]\.[0-9]{4}|-)){3}$' \
    '^\(mean\) +20( +[01]\.[0-9]{4}){3}$' '^log loss [0-9.]+$' '^ROC-AUC [01]\.[0-9]{4}$'
expect_last '^accuracy [01]\.[0-9]{4} \([0-9]+/20\)$'
sed -n '/^measured on /,$p' "$work/out" >"$work/trained"

# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$drawings" --output "$work/models/b.cnn" $small --epochs 2 --seed 3 \
    --threads 1 --quiet
cmp -s "$work/out" "$work/trained" || fail "--quiet: wanted the result on the test pictures alone"
cmp -s "$model" "$work/models/b.cnn" || fail "other bits with one thread"

# Numbers of the network's own recipe change nothing, others do, each of them.
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$drawings" --output "$work/models/e.cnn" $small --epochs 2 --seed 3 \
    --quiet --flip 0.5 --crop 0.6 --no-flip-average --rotation 0 --translation 0 --zoom 0 \
    --shear 0 --color 0.1 --saturation 0 --hue 0 --erase 0 --mixup 0 --cutmix 0 \
    --label-smoothing 0 --class-weights none --optimizer adamw --weight-decay 0.01 \
    --schedule cosine --ema 0 --accumulate 1
cmp -s "$model" "$work/models/e.cnn" || fail "other bits with the defaults given"
for option in "" "--flip 0" "--crop 1" "--optimizer sgd" "--optimizer sgd --weight-decay 1" \
    "--weight-decay 0" "--weight-decay 1" "--rotation 10" "--translation 0.1" "--zoom 0.2" \
    "--shear 10" "--color 0" "--saturation 0.2" "--hue 15" "--erase 0.5" "--mixup 0.2" \
    "--cutmix 1" "--label-smoothing 0.1" "--schedule one-cycle" "--ema 0.9" "--accumulate 2"
do
    # shellcheck disable=SC2086
    run 0 "$cats_dogs" train "$drawings" --output "$work/models/e.cnn" $small --epochs 1 \
        --seed 3 --quiet $option
    expect_no_errors
    cksum <"$work/models/e.cnn"
done >"$work/sums"
[ "$(sort -u "$work/sums" | wc -l)" -eq 21 ] || fail "options that change nothing"

# The fewer pictures of a class there are, the more each counts.
cp -r "$drawings" "$work/uneven"
find "$work/uneven/train/cats" -name '*[13579].*' -exec rm {} +
for weights in balanced none; do
    # shellcheck disable=SC2086
    run 0 "$cats_dogs" train "$work/uneven" --output "$work/models/$weights.cnn" $small \
        --epochs 1 --seed 3 --quiet --class-weights $weights
done
cmp -s "$work/models/balanced.cnn" "$work/models/none.cnn" &&
    fail "--class-weights balanced changed nothing"
# Other recipes; what was tested last is the best model, as it was validated.
# shellcheck disable=SC2086
run 0 "$cats_dogs" train "$drawings" --output "$work/models/r.cnn" $small --epochs 9 --seed 3 \
    --schedule one-cycle --ema 0.9 --accumulate 2 --patience 1 --flip-average
expect_output '^epoch 1/9  .* best, saved$' '^best model: epoch [1-9], '
sed -n '/^measured on /,$p' "$work/out" >"$work/recipe"
run 0 "$cats_dogs" evaluate "$work/models/r.cnn" "$drawings" --flip-average
cmp -s "$work/out" "$work/recipe" || fail "evaluate --flip-average differs from what train printed"
picture=$(find "$drawings/test/cats" -type f | head -n 1)
run 0 "$cats_dogs" predict "$work/models/r.cnn" "$picture"
mv "$work/out" "$work/plain"
run 0 "$cats_dogs" predict "$work/models/r.cnn" "$picture" --flip-average
cmp -s "$work/out" "$work/plain" && fail "predict --flip-average makes no difference"

# The well-known network: 813,346 parameters.
run 0 "$cats_dogs" train "$drawings" --output "$work/models/c.cnn" --network classic --epochs 1
expect_output '^  flatten +6272 ' '^  total +813,346$'

# ---- The progress bar ----

# draw_bars COLUMNS: leaves what a terminal of so many columns gets, each state of the bar on a
# line.
draw_bars() {
    run 0 script -qec "stty cols $1; '$cats_dogs' train '$drawings' --output '$work/models/d.cnn' \
        $small --epochs 2 >'$work/results'" /dev/null
    tr '\r' '\n' <"$work/out" | sed "s/$(printf '\033')\[K//g" | grep . >"$work/bars"
    mv "$work/bars" "$work/out"
}

if script -qec true /dev/null >/dev/null 2>&1; then # it is there, and gets a terminal
    draw_bars 100
    expect_output '^epoch [12]/2 \[=*>? *\] [0-9]+ pictures/s  loss [0-9.]+  accuracy [0-9.]+  '\
'[0-9]+:[0-9]{2} left$'
    grep -q '^epoch 2/2  loss' "$work/results" || fail "no lines of epochs beside the bar"
    draw_bars 20
    expect_output '^epoch 1/2 \['
    widest=$(awk 'length > most { most = length } END { print most }' "$work/out")
    [ "$widest" -eq 19 ] || fail "the bar is $widest wide in 20 columns, wanted 19"
else
    echo 'skipped: the progress bar, since script(1) is not there or gets no terminal'
fi

# ---- evaluate ----

run 0 "$cats_dogs" evaluate "$model" "$drawings"
cmp -s "$work/out" "$work/trained" || fail "evaluate differs from what train printed"
run 0 "$cats_dogs" evaluate "$model" "$drawings/test"
expect_output '^measured on all pictures, each as it is \(--no-flip-average\)$'
tail -n +2 "$work/trained" >"$work/figures"
tail -n +2 "$work/out" | cmp -s - "$work/figures" ||
    fail "evaluate differs for the folder of classes itself"
run 0 "$cats_dogs" evaluate "$model" "$drawings/train"
expect_last '^accuracy [01]\.[0-9]{4} \([0-9]+/120\)$'

# ---- predict ----

cat=$(find "$drawings/test/cats" -type f | head -n 1)
dog=$(find "$drawings/test/dogs" -type f | head -n 1)
tab=$(printf '\t')
run 0 "$cats_dogs" predict "$model" "$cat" "$dog"
[ "$(wc -l <"$work/out")" -eq 2 ] || fail "predict: wanted a line per picture"
expect_output \
    "^${cat}${tab}(cats|dogs)${tab}[01]\.[0-9]+\$" "^${dog}${tab}(cats|dogs)${tab}[01]\.[0-9]+\$"
# The next ones follow on the same line, as many as there are.
cp "$work/out" "$work/first"
run 0 "$cats_dogs" predict "$model" "$cat" "$dog" --top 5
expect_no_errors
cut -f -3 "$work/out" | cmp -s - "$work/first" || fail "predict --top: another first class"
awk -F "$tab" 'NF != 5 || $2 == $4 || $3 < $5 || ($3 + $5 - 1) ^ 2 > 1e-6 { exit 1 }' "$work/out" ||
    fail "predict --top: wanted both classes"
run 2 "$cats_dogs" predict "$model" "$cat" --top 0
expect_errors 1 '--top 0: wanted a whole number from 1 to 1000$'

if [ -e /dev/full ]; then
    "$cats_dogs" predict "$model" "$cat" >/dev/full 2>"$work/err" && fail "predict to a full disk"
    expect_errors 1 '^cats-dogs: standard output: '
fi

# ---- learning ----

# It does learn (82 to 85 % with other seeds), and what predict says of each picture adds up to what
# evaluate counts.
run 0 "$cats_dogs" draw "$work/more" --count 600
run 0 "$cats_dogs" train "$work/more" --output "$model" --network classic --size 32 --batch 16 \
    --epochs 8 --quiet
expect_last '^accuracy (0\.[7-9]|1)'
for class in cats dogs; do
    run 0 "$cats_dogs" predict "$model" "$work/more/test/$class"/*
    cats=$(grep -c "${tab}cats${tab}" "$work/out")
    dogs=$(grep -c "${tab}dogs${tab}" "$work/out")
    run 0 "$cats_dogs" evaluate "$model" "$work/more"
    expect_output "^$class +$cats +$dogs\$"
done

# ---- help ----

run 0 "$cats_dogs" --help
expect_output '^Usage:$'
expect_output '^Usage:$' '^  cats-dogs train ' '^  cats-dogs draw ' '^  --resume ' '^  --kinds '
# Of a command no other one's.
run 0 "$cats_dogs" draw --help
expect_output '^Usage:$' '^  cats-dogs draw ' '^  --kinds '
grep -q -E 'cats-dogs (train|check)|--resume|DATA' "$work/out" &&
    fail "draw --help: of other commands"
run 0 "$cats_dogs" train --help
expect_output '^  cats-dogs train ' '^  --resume ' '^DATA is a folder'
grep -q -e '--kinds' "$work/out" && fail "train --help: of other commands"
run 0 "$cats_dogs" --version
expect_output '^cats-dogs [0-9]+\.[0-9]+\.[0-9]+$'

# ---- train without DATA ----

rm -f "$work/models"/*
run 0 "$cats_dogs" train --output "$work/d.cnn" --network classic --size 16 --epochs 1
expect_output '^data +drawing 2400 cats and dogs$' '^test +400 pictures: 200 cats, 200 dogs$'
expect_last '^accuracy '
expect_no_leftovers
finish
